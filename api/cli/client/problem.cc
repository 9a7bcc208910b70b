#include "api/cli/client/problem.h"

#include <nlohmann/json.hpp>

#include "api/cli/text/json_view.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct ReasonAdvice {
  std::string_view code;
  std::string_view text;
};

constexpr ReasonAdvice kAdviceByReason[] = {
    {"unauthenticated",
     "The token or session is unknown or has ended: log in (coffer login), or ask an administrator "
     "for a new token (coffer token create)."},
    {"permission_denied",
     "Your role does not allow this: use a token or login of a role that does (see coffer(1), "
     "ROLES)."},
    {"approval_invalid",
     "coffer approval show ID says what was approved: it counts once, for exactly that, for "
     "whoever "
     "asked for it, while it has not expired."},
    {"approval_void",
     "coffer approval show ID says why; ask for it again with coffer approval request."},
    {"approval_ended", "coffer approval show ID says how."},
    {"approval_decided", "coffer approval show ID says how."},
    {"approval_used", "coffer approval show ID says when: it cannot be taken back."},
    {"approval_withdrawn", "Ask for it again with coffer approval request."},
    {"approval_rejected", "Ask for it again with coffer approval request."},
    {"clients_assigned",
     "Hand them over with coffer assignment hand-over, or with --hand-over-to of coffer user "
     "disable; --leave-clients leaves them with nobody."},
    {"approval_expired", "Ask for it again with coffer approval request."},
    {"own_request", "Another person has to do this."},
    {"login_failed",
     "The same answer is given whichever of them is wrong. A code of the app counts once: wait for "
     "the next one."},
    {"no_session", "Log in first: coffer login."},
    {"second_factor_required", "Give it with coffer step-up, then repeat the command."},
    {"second_factor_wrong", "A code of the app counts once: wait for the next one."},
    {"no_second_factor", "Ask an administrator to let you enrol again (coffer user enrol-again)."},
    {"certificate_required", "Show your certificate with --client-cert and --client-key."},
    {"ticket_required", "Name the case with --ticket TICKET."},
    {"reason_required", "Say why with --reason TEXT."},
    {"principal_unknown", "coffer user list and coffer service list show them."},
    {"login_taken", "Login names are never given twice; choose another one."},
    {"token_ended", "Make a new one with coffer token create."},
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
    {"filter_unknown",
     "Nothing was searched for: a word that nobody knows would be found nowhere, which is no "
     "answer."},
    {"erased_before",
     "Such a person asked to be forgotten, or was due to be. If they are a client again, import "
     "with --accept-erased."},
    {"log_unavailable",
     "The access log cannot be written, so nothing is disclosed: look at the "
     "server's log and its disk."},
    {"storage_corrupted", "Run coffer verify --deep and look at the server's log."},
    {"integrity_failed", "Run coffer verify --deep and look at the server's log."},
    {"internal_error", "Look at the server's log for the request id."},
};

std::string AdviceFor(const std::string& code, const HttpReply& reply) {
  // Of a request for an approval, the faults themselves say what is wrong.
  if (code == "approval_invalid" && reply.status == 422) return {};
  for (const ReasonAdvice& advice : kAdviceByReason) {
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
  // What was asked for can be found nowhere: no search that found nothing.
  const bool is_use = code == "filter_invalid" || code == "filter_unknown";
  return {is_use ? Exit::kUsage : Exit::kFailed, std::move(message), AdviceFor(code, reply),
          IsTemporary(reply.status), code};
}

}  // namespace coffer::cli
