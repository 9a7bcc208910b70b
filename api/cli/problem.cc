#include "api/cli/problem.h"

#include <nlohmann/json.hpp>

#include "api/cli/json_view.h"
#include "vault/strict_json.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct Advice {
  std::string_view code;
  std::string_view text;
};

constexpr Advice kAdvice[] = {
    {"unauthenticated",
     "The token is unknown, revoked or expired: ask an administrator for a new one (coffer token "
     "create)."},
    {"permission_denied",
     "The token's role does not allow this: use a token of a role that does (see coffer(1), "
     "ROLES)."},
    {"purpose_required", "Say why with --purpose CODE; coffer purpose list shows the codes."},
    {"purpose_unknown", "coffer purpose list shows the registered purposes."},
    {"purpose_not_allowed",
     "The class does not list this purpose; coffer class list shows which ones each class allows."},
    {"class_unknown", "coffer class list shows the classes; coffer class put adds one."},
    {"field_not_indexed",
     "Only fields marked \"index\": true in the class can be searched (coffer class list --json)."},
    {"value_not_normalisable", "The value does not look like one of that field's type."},
    {"not_found",
     "Check the id; one that is outside the token's reach answers as if it did not exist."},
    {"external_ref_taken", "Another client has this external reference already."},
    {"log_unavailable",
     "The access log cannot be written, so nothing is disclosed: look at the "
     "server's log and its disk."},
    {"storage_corrupted", "Run coffer verify --deep and look at the server's log."},
    {"integrity_failed", "Run coffer verify --deep and look at the server's log."},
    {"internal_error", "Look at the server's log for the request id."},
};

std::string AdviceFor(const std::string& code, const HttpReply& reply) {
  for (const Advice& advice : kAdvice) {
    if (advice.code == code) return std::string(advice.text);
  }
  if (!IsTemporary(reply.status)) return {};
  const std::string_view seconds = reply.Header("retry-after");
  return "Try again " + (seconds.empty() ? "later." : "in " + std::string(seconds) + " s.");
}

Failure WithoutProblem(const HttpReply& reply) {
  const std::string status = std::to_string(reply.status);
  if (reply.status >= 300 && reply.status < 400) {
    return {Exit::kFailed, "the server answered with a redirect (" + status + ")",
            "Redirects are not followed: give the vault's own address with --url.", false};
  }
  return {Exit::kFailed, "the server answered " + status + " without a reason",
          "Check that --url is the address of a Coffer server.", IsTemporary(reply.status)};
}

}  // namespace

bool IsTemporary(int status) { return status == 429 || status == 503; }

Failure FailureOf(const HttpReply& reply) {
  const auto problem = vault::ParseStrictJson(reply.body);
  if (!problem || !problem->is_object()) return WithoutProblem(reply);
  const std::string code = Text(*problem, "code");
  if (code.empty()) return WithoutProblem(reply);

  const std::string title = Text(*problem, "title");
  std::string message = "the server refused: " + (title.empty() ? code : title) + " (" +
                        std::to_string(reply.status) + " " + code + ")";
  const json& errors = Member(*problem, "errors");
  if (errors.is_array()) {
    for (const json& error : errors) {
      const std::string pointer = Text(error, "pointer");
      message +=
          "\n  " + (pointer.empty() ? "the request" : pointer) + ": " + Text(error, "message");
    }
  }
  if (const std::string id = Text(*problem, "request_id"); !id.empty()) {
    message += "\n  request " + id;
  }
  return {Exit::kFailed, std::move(message), AdviceFor(code, reply), IsTemporary(reply.status)};
}

}  // namespace coffer::cli
