// Calls of the route table without HTTP, on a vault in this process:
//
//   ApiCalls api;
//   const auto reply = api.Post("/v1/clients", Role::kCrmService, {{"external_ref", "A-1"}});
//   CHECK(reply.status == 201);
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "api/http/problem.h"
#include "api/routes/routes.h"
#include "tests/support/open_vault.h"
#include "vault/base/strict_json.h"

namespace coffer::api {

using nlohmann::json;
using vault::Role;

class ApiCalls : public testing::OpenVault {
 public:
  using OpenVault::OpenVault;
  using Change = std::function<void(Call&)>;

  // What the server does between the headers and the answer.
  Reply Do(Method method, std::string_view path, Role role, std::string body = {},
           const Change& change = {}) {
    Match match = FindRoute(Routes(), method, path);
    INFO(Name(method) << " " << path);
    REQUIRE(match.route != nullptr);
    Call call;
    call.caller = As(role);
    call.segments = std::move(match.segments);
    call.body = std::move(body);
    if (change) change(call);
    last = call.caller;
    const Service service{*vault(), [](const vault::EngineStatistics&) { return "# metrics\n"; }};
    auto reply = match.route->handler(service, call);
    return reply ? *std::move(reply) : RenderProblem(reply.error(), call.caller.call.Text());
  }
  Reply Get(std::string_view path, Role role, const Change& change = {}) {
    return Do(Method::kGet, path, role, {}, change);
  }
  Reply Post(std::string_view path, Role role, const json& body, const Change& change = {}) {
    return Do(Method::kPost, path, role, body.dump(), change);
  }
  static Change Query(std::string name, std::string value) {
    return [=](Call& call) { call.query.emplace_back(name, value); };
  }
  static Change IfMatch(std::string tag) {
    return [=](Call& call) { call.if_match = tag; };
  }

  static json Parsed(const Reply& reply) {
    auto parsed = vault::ParseStrictJson(reply.body);
    INFO(reply.body);
    REQUIRE(parsed);
    return *std::move(parsed);
  }
  // "422 document_invalid", or "201".
  static std::string Answer(const Reply& reply) {
    std::string answer = std::to_string(reply.status);
    if (reply.status >= 400) answer += " " + Parsed(reply).at("code").get<std::string>();
    return answer;
  }
  static std::string Header(const Reply& reply, std::string_view name) {
    for (const auto& [header, value] : reply.headers) {
      if (header == name) return value;
    }
    return "";
  }
  static std::vector<std::string> Pointers(const Reply& reply) {
    std::vector<std::string> pointers;
    for (const auto& issue : Parsed(reply).value("errors", json::array())) {
      pointers.push_back(issue.at("pointer"));
    }
    return pointers;
  }
  json LastEntry() { return EntryOf(last); }

  vault::Caller last;

 private:
  vault::Vault* vault() { return this->operator->(); }
};

}  // namespace coffer::api
