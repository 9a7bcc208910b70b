// The OpenAPI document is the contract: every route is in it and everything in it is a route.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "api/http/problem.h"
#include "api/openapi/document.h"
#include "api/routes/routes.h"
#include "tests/support/open_vault.h"
#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using Names = std::set<std::string>;

const json& Document() {
  static const json document = [] {
    auto parsed = vault::ParseStrictJson(OpenApiDocument());
    REQUIRE(parsed);
    INFO("the document has no paths: it is a stub");
    REQUIRE(parsed->contains("paths"));
    return *std::move(parsed);
  }();
  return document;
}

// What a "$ref" stands for.
const json& Resolve(const json& node) {
  const auto ref = node.find("$ref");
  if (ref == node.end()) return node;
  const auto& text = ref->get_ref<const std::string&>();
  REQUIRE(text.starts_with("#/"));
  const json::json_pointer pointer(text.substr(1));
  INFO(text);
  REQUIRE(Document().contains(pointer));
  return Resolve(Document().at(pointer));
}

// "GET /v1/me" and its operation.
std::map<std::string, const json*> Operations() {
  std::map<std::string, const json*> operations;
  for (const auto& [path, item] : Document().at("paths").items()) {
    for (const auto& [method, operation] : item.items()) {
      std::string name = method;
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      if (MethodFromName(name)) operations[name + " " + path] = &operation;
    }
  }
  return operations;
}

// What takes all that is left of a path is no other kind of parameter in OpenAPI.
std::string PathOf(const Route& route) {
  std::string path(route.path);
  if (const auto rest = path.find("...}"); rest != path.npos) path.erase(rest, 3);
  return path;
}

std::string PlaceOf(const Route& route) {
  return std::string(Name(route.method)) + " " + PathOf(route);
}

std::string PermissionOf(const Route& route) {
  const auto action = route.permission.action();
  return action ? std::string(vault::Name(*action)) : "none";
}

const json& OperationOf(const Route& route) {
  const auto operations = Operations();
  const auto found = operations.find(PlaceOf(route));
  INFO(PlaceOf(route));
  REQUIRE(found != operations.end());
  return *found->second;
}

// Names of the operation's parameters of one kind.
Names ParametersOf(const json& operation, const std::string& in) {
  Names names;
  for (const auto& parameter : operation.value("parameters", json::array())) {
    const json& resolved = Resolve(parameter);
    if (resolved.at("in") == in) names.insert(resolved.at("name"));
  }
  return names;
}

TEST_CASE("the document is OpenAPI 3.1 of this program") {
  CHECK(Document().at("openapi").get<std::string>().starts_with("3.1."));
  CHECK(Document().at("info").at("version") == COFFER_VERSION);
}

TEST_CASE("routes and documented operations are the same") {
  Names routes;
  for (const Route& route : Routes()) routes.insert(PlaceOf(route));
  Names documented;
  for (const auto& [place, operation] : Operations()) documented.insert(place);
  CHECK(documented == routes);
}

TEST_CASE("each route has the operation id and the permission that are documented") {
  for (const Route& route : Routes()) {
    INFO(PlaceOf(route));
    const json& operation = OperationOf(route);
    CHECK(operation.at("operationId") == route.operation_id);
    CHECK(operation.at("x-permission") == PermissionOf(route));
    // "security: []" where nobody needs to be known, or is about to say who they are; nowhere else.
    const bool open = operation.contains("security") && operation.at("security").empty();
    const auto action = route.permission.action();
    CHECK(open == (!action || vault::KindOf(*action) == vault::ActionKind::kOpen));
  }
  CHECK(!Document().at("security").empty());
}

TEST_CASE("each route's query parameters are the documented ones") {
  for (const Route& route : Routes()) {
    INFO(PlaceOf(route));
    CHECK(ParametersOf(OperationOf(route), "query") ==
          Names(route.query.begin(), route.query.end()));
  }
}

TEST_CASE("each segment that a path captures is documented") {
  for (const Route& route : Routes()) {
    INFO(PlaceOf(route));
    Names captured;
    const std::string path = PathOf(route);
    for (auto at = path.find('{'); at != path.npos; at = path.find('{', at + 1)) {
      captured.insert(path.substr(at + 1, path.find('}', at) - at - 1));
    }
    CHECK(ParametersOf(OperationOf(route), "path") == captured);
  }
}

TEST_CASE("a purpose is documented as required where client data is touched, and only there") {
  for (const Route& route : Routes()) {
    INFO(PlaceOf(route));
    const json& operation = OperationOf(route);
    const auto action = route.permission.action();
    const bool needed = action && vault::TouchesClientData(*action);
    CHECK(ParametersOf(operation, "header").contains("Coffer-Purpose") == needed);
    CHECK(ParametersOf(operation, "header").contains("Coffer-Reason") == action.has_value());
    for (const auto& parameter : operation.value("parameters", json::array())) {
      const json& resolved = Resolve(parameter);
      if (resolved.at("name") == "Coffer-Purpose") CHECK(resolved.at("required") == true);
    }
  }
}

TEST_CASE("bodies are documented for the routes that take one") {
  for (const Route& route : Routes()) {
    INFO(PlaceOf(route));
    const json& operation = OperationOf(route);
    CHECK(operation.contains("requestBody") == (route.body != Body::kNone));
    if (!operation.contains("requestBody")) continue;
    const json& content = Resolve(operation.at("requestBody")).at("content");
    CHECK(content.size() == 1);
    CHECK(content.contains(MediaTypeOf(route.body)));
  }
}

TEST_CASE("each operation documents the refusals that every caller may get") {
  for (const Route& route : Routes()) {
    INFO(PlaceOf(route));
    const json& responses = OperationOf(route).at("responses");
    Names needed = {"default"};
    if (route.permission.action()) needed.insert({"400", "401", "403", "500", "503"});
    if (route.body != Body::kNone) needed.insert({"413", "415"});
    if (route.path.find('{') != route.path.npos && route.method == Method::kGet) {
      needed.insert("404");
    }
    for (const auto& status : needed) {
      INFO(status);
      CHECK(responses.contains(status));
    }
    std::size_t successes = 0;
    for (const auto& [status, response] : responses.items()) {
      if (status.starts_with('2')) ++successes;
    }
    CHECK(successes == 1);
  }
}

void CheckReferences(const json& node) {
  if (node.is_object()) {
    if (node.contains("$ref")) Resolve(node);
    for (const auto& [name, member] : node.items()) CheckReferences(member);
  } else if (node.is_array()) {
    for (const auto& item : node) CheckReferences(item);
  }
}

TEST_CASE("everything that the document refers to is there") { CheckReferences(Document()); }

TEST_CASE("the actions that the document lists are the vault's, and grants have those of roles") {
  json actions = json::array(), granted = json::array();
  for (int i = 0; i < vault::kActionCount; ++i) {
    const auto action = static_cast<vault::Action>(i);
    actions.push_back(vault::Name(action));
    if (vault::KindOf(action) == vault::ActionKind::kGranted) {
      granted.push_back(vault::Name(action));
    }
  }
  const json& schemas = Document().at("components").at("schemas");
  CHECK(schemas.at("Action").at("enum") == actions);
  CHECK(schemas.at("GrantedAction").at("enum") == granted);
}

TEST_CASE("the roles that the document names are the built-in ones") {
  Names roles;
  for (const vault::Role role : vault::kRoles) roles.emplace(vault::Name(role));
  const std::string text(OpenApiDocument());
  for (const auto& role : roles) {
    INFO(role);
    CHECK(text.find(role) != std::string::npos);
  }
}

}  // namespace
}  // namespace coffer::api
