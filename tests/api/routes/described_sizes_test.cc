// The sizes of texts that the description gives are those that requests are held to.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include "api/openapi/document.h"
#include "tests/api/routes/api_calls.h"

namespace coffer::api {
namespace {

using enum Role;

struct SizedText {
  const Route* route = nullptr;
  json example;
  std::string member;
  std::size_t most = 0;
};

const json& Referred(const json& document, const json& schema) {
  const json* at = &schema;
  while (at->contains("$ref")) {
    at = &document.at(json::json_pointer(at->at("$ref").get<std::string>().substr(1)));
  }
  return *at;
}

// Members of bodies that are bounded by maxLength alone.
std::vector<SizedText> SizedTexts() {
  const json document = json::parse(OpenApiDocument());
  std::vector<SizedText> all;
  for (const Route& route : Routes()) {
    if (route.body != Body::kJson) continue;
    std::string method(Name(route.method));
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
    const json& operation = document.at("paths").at(std::string(route.path)).at(method);
    const json& content = operation.at("requestBody").at("content");
    const auto json_body = content.find("application/json");
    if (json_body == content.end()) continue;
    const json& whole = Referred(document, json_body->at("schema"));
    std::vector<const json*> schemas = {&whole};
    if (whole.contains("oneOf")) {
      for (const json& one : whole.at("oneOf")) schemas.push_back(&Referred(document, one));
    }
    for (const json* const schema : schemas) {
      const json properties = schema->value("properties", json::object());
      for (const auto& [member, described] : properties.items()) {
        const json& text = Referred(document, described);
        if (!text.contains("maxLength") || text.contains("pattern")) continue;
        all.push_back({&route, json_body->value("example", json::object()), member,
                       text.at("maxLength").get<std::size_t>()});
      }
    }
  }
  return all;
}

// The last number before " bytes" in what is said of the member, if there is one.
std::optional<std::size_t> BytesSaid(const Reply& reply, const std::string& member) {
  if (reply.status < 400) return std::nullopt;
  const json problem = json::parse(reply.body);
  for (const json& issue : problem.value("errors", json::array())) {
    if (issue.at("pointer") != "/" + member) continue;
    const std::string message = issue.at("message");
    const auto end = message.find(" bytes");
    if (end == message.npos) continue;
    const auto begin = message.rfind(' ', end - 1) + 1;
    return std::stoul(message.substr(begin, end - begin));
  }
  return std::nullopt;
}

TEST_CASE("a text is refused for its length when it is longer than is described, and not before") {
  ApiCalls api;
  const Reply made = api.Post("/v1/clients", kCrmService, {{"external_ref", "A-1"}});
  REQUIRE(made.status == 201);
  const std::string client =
      ApiCalls::Header(made, "Location").substr(std::string_view("/v1/clients/").size());
  const std::map<std::string, std::string> captures = {
      {"client", client},
      {"principal", vault::PrincipalId::New({1}, vault::PrincipalKind::kService).Text()},
      {"emergency", vault::EmergencyId::New({1}).Text()}};
  std::size_t said = 0;
  std::set<std::string> told;  // "issueCertificate csr"
  for (const SizedText& one : SizedTexts()) {
    INFO(one.route->operation_id << " " << one.member << " " << one.most);
    std::string path(one.route->path);
    for (auto at = path.find('{'); at != path.npos; at = path.find('{')) {
      const auto end = path.find('}', at);
      const std::string name = path.substr(at + 1, end - at - 1);
      const auto captured = captures.find(name);
      path.replace(at, end - at + 1, captured == captures.end() ? "x" : captured->second);
    }
    const auto ask = [&](vault::Role role, std::size_t bytes) {
      json body = one.example.is_object() ? one.example : json::object();
      body[one.member] = std::string(bytes, 'a');
      const Reply reply = api.Do(one.route->method, path, role, body.dump(),
                                 [](Call& call) { call.if_match = "\"1\""; });
      return BytesSaid(reply, one.member);
    };
    for (const vault::Role role : vault::kRoles) {
      const auto too_long = ask(role, one.most + 1);
      if (!too_long) continue;
      ++said;
      told.insert(std::string(one.route->operation_id) + " " + one.member);
      CHECK(*too_long == one.most);
      CHECK(!ask(role, one.most));
    }
  }
  CHECK(said > 60);
  for (const char* const one : {"issueCertificate csr", "reviewEmergency finding"}) {
    CHECK(told.contains(one));
  }
}

}  // namespace
}  // namespace coffer::api
