#include "api/cli/api_client.h"

#include <nlohmann/json.hpp>

#include "api/cli/problem.h"
#include "vault/strict_json.h"

namespace coffer::cli {

using nlohmann::json;

Outcome<HttpReply> ApiClient::Exchange(HttpRequest request) {
  if (!declaration_.purpose.empty()) {
    request.headers.emplace_back("Coffer-Purpose", declaration_.purpose);
  }
  if (!declaration_.reason.empty()) {
    request.headers.emplace_back("Coffer-Reason", declaration_.reason);
  }
  return send_(request);
}

Outcome<HttpReply> ApiClient::Send(HttpRequest request) {
  COFFER_ASSIGN(HttpReply reply, Exchange(std::move(request)));
  if (reply.status < 200 || reply.status > 299) return std::unexpected(FailureOf(reply));
  return reply;
}

Outcome<json> ApiClient::SendForJson(HttpRequest request) {
  request.headers.emplace_back("Accept", "application/json");
  COFFER_ASSIGN(const HttpReply reply, Send(std::move(request)));
  return ParseAnswer(reply.body);
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

Outcome<json> ParseAnswer(std::string_view body) {
  auto value = vault::ParseStrictJson(body);
  if (!value) {
    return Failed(Exit::kFailed, "the server's answer is not JSON",
                  "Check that --url is the address of a Coffer server.");
  }
  return *std::move(value);
}

}  // namespace coffer::cli
