#include "api/cli/client/api_client.h"

#include <nlohmann/json.hpp>

#include "api/cli/client/approval_advice.h"
#include "api/cli/client/problem.h"
#include "api/cli/files/secret_text.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {

using nlohmann::json;

namespace {
// What an approval may be needed for is small; imports are not looked at.
constexpr std::size_t kLargestAsked = 4096;

// The server reads a percent sign before two hexadecimal digits as the byte that they encode: what
// is to be seen there as it was typed has none. Blanks around a header's value are no part of it,
// so that those of the reason are encoded.
std::string WithoutCodes(std::string_view reason) {
  const auto first = reason.find_first_not_of(' '), last = reason.find_last_not_of(' ');
  std::string out;
  for (std::size_t i = 0; i < reason.size(); ++i) {
    if (reason[i] == '%') {
      out += "%25";
    } else if (i < first || i > last) {
      out += "%20";
    } else {
      out += reason[i];
    }
  }
  return out;
}
}  // namespace

Outcome<HttpReply> ApiClient::Exchange(HttpRequest request) {
  if (!declaration_.purpose.empty()) {
    request.headers.emplace_back("Coffer-Purpose", declaration_.purpose);
  }
  if (!declaration_.reason.empty()) {
    request.headers.emplace_back("Coffer-Reason", WithoutCodes(declaration_.reason));
  }
  if (!declaration_.ticket.empty()) {
    request.headers.emplace_back("Coffer-Ticket", declaration_.ticket);
  }
  if (!declaration_.approval.empty()) {
    request.headers.emplace_back("Coffer-Approval", declaration_.approval);
  }
  auto reply = send_(request);
  if (request.secret_body) Forget(request.body);
  return reply;
}

Outcome<HttpReply> ApiClient::Send(HttpRequest request) {
  // Bodies that hold a secret never take an approval.
  const HttpRequest asked{.method = request.method,
                          .target = request.target,
                          .body = request.body.size() > kLargestAsked || request.secret_body
                                      ? std::string()
                                      : request.body};
  COFFER_ASSIGN(HttpReply reply, Exchange(std::move(request)));
  if (reply.status >= 200 && reply.status <= 299) return reply;
  Failure failure = FailureOf(reply);
  if (failure.code == "approval_required") {
    failure.advice = ApprovalAdvice(asked, declaration_.purpose);
  }
  if (failure.code == "clock_unconfirmed") {
    failure.advice = "Look at the server's clock. When it is right: coffer clock confirm";
  }
  return std::unexpected(std::move(failure));
}

Outcome<json> ApiClient::SendForJson(HttpRequest request) {
  request.headers.emplace_back("Accept", "application/json");
  // What answers a secret is one itself: a session's token, recovery codes.
  const bool secret = request.secret_body;
  COFFER_ASSIGN(HttpReply reply, Send(std::move(request)));
  auto answer = ParseAnswer(reply.body);
  if (secret) Forget(reply.body);
  if (answer) TakeNames(*answer);
  return answer;
}

void ApiClient::TakeNames(const json& answer) {
  if (names_) names_->Take(answer);
}

Outcome<json> ApiClient::Get(const Target& target) {
  return SendForJson({.method = "GET", .target = target.text()});
}

Outcome<json> ApiClient::Delete(const Target& target) {
  return SendForJson({.method = "DELETE", .target = target.text()});
}

Outcome<json> ApiClient::Post(const Target& target, std::string body,
                              std::chrono::seconds patience) {
  return SendForJson({.method = "POST",
                      .target = target.text(),
                      .body = std::move(body),
                      .content_type = "application/json",
                      .patience = patience});
}

Outcome<json> ApiClient::Put(const Target& target, std::string body) {
  return SendForJson({.method = "PUT",
                      .target = target.text(),
                      .body = std::move(body),
                      .content_type = "application/json"});
}

Outcome<json> ApiClient::Patch(const Target& target, std::string body) {
  return SendForJson({.method = "PATCH",
                      .target = target.text(),
                      .body = std::move(body),
                      .content_type = "application/json"});
}

Outcome<json> ApiClient::MergePatch(const Target& target, std::string body,
                                    std::string_view version) {
  HttpRequest request{.method = "PATCH",
                      .target = target.text(),
                      .body = std::move(body),
                      .content_type = "application/merge-patch+json"};
  request.headers.emplace_back("If-Match", '"' + std::string(version) + '"');
  return SendForJson(std::move(request));
}

Outcome<json> ApiClient::PutVersion(const Target& target, std::string body,
                                    std::string_view version) {
  HttpRequest request{.method = "PUT",
                      .target = target.text(),
                      .body = std::move(body),
                      .content_type = "application/json"};
  request.headers.emplace_back("If-Match", '"' + std::string(version) + '"');
  return SendForJson(std::move(request));
}

Outcome<json> ApiClient::PostNothing(const Target& target) {
  return SendForJson({.method = "POST", .target = target.text()});
}

Outcome<json> ApiClient::PostSecret(const Target& target, std::string body) {
  return SendForJson({.method = "POST",
                      .target = target.text(),
                      .body = std::move(body),
                      .content_type = "application/json",
                      .secret_body = true});
}

Outcome<void> ApiClient::PutSecret(const Target& target, std::string body) {
  COFFER_TRY(Send({.method = "PUT",
                   .target = target.text(),
                   .body = std::move(body),
                   .content_type = "application/json",
                   .secret_body = true}));
  return {};
}

Outcome<void> ApiClient::Remove(const Target& target) {
  COFFER_TRY(Send({.method = "DELETE", .target = target.text()}));
  return {};
}

Outcome<json> ParseAnswer(std::string_view body) {
  auto value = vault::ParseStrictJson(body);
  if (!value) {
    return Failed(Exit::kFailed, "the server's answer is not JSON",
                  "Check that --url is the address of a Coffer server.");
  }
  return *std::move(value);
}

}  // namespace coffer::cli
