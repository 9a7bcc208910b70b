#include "api/routes/routes.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace coffer::api {
namespace {

using Strings = std::vector<std::string>;
using enum Method;

// The route's operation and what was captured, or "404", or "405 Allow".
std::string Find(Method method, std::string_view path) {
  const Match match = FindRoute(Routes(), method, path);
  if (match.route == nullptr) {
    CHECK(match.segments.empty());
    return match.allow.empty() ? "404" : "405 " + match.allow;
  }
  CHECK(match.allow.empty());
  std::string found(match.route->operation_id);
  for (const auto& segment : match.segments) found += " " + segment;
  return found;
}

TEST_CASE("a path leads to its route with what it captures") {
  CHECK(Find(kGet, "/health/live") == "getLiveness");
  CHECK(Find(kGet, "/v1/clients") == "listClients");
  CHECK(Find(kPost, "/v1/clients") == "createClient");
  CHECK(Find(kGet, "/v1/clients/cli_1") == "getClient cli_1");
  CHECK(Find(kGet, "/v1/clients/cli_1/records") == "listRecords cli_1");
  CHECK(Find(kPut, "/v1/clients/cli_1/records/rec_2") == "updateRecord cli_1 rec_2");
  CHECK(Find(kPatch, "/v1/clients/cli_1/records/rec_2") == "patchRecord cli_1 rec_2");
  CHECK(Find(kGet, "/v1/clients/cli_1/records/rec_2/versions") == "listRecordVersions cli_1 rec_2");
  CHECK(Find(kGet, "/v1/clients/cli_1/records/rec_2/versions/3") ==
        "getRecordVersion cli_1 rec_2 3");
  CHECK(Find(kGet, "/v1/log/entries/7/proof") == "getLogEntryProof 7");
  CHECK(Find(kPost, "/v1/clients/search") == "searchClients");
}

TEST_CASE("every resource has one spelling") {
  for (const char* path : {"",
                           "/",
                           "//",
                           "/v1",
                           "/v1/",
                           "v1/clients",
                           "/v1/clients/",
                           "//v1/clients",
                           "/v1//clients",
                           "/v1/clients//records",
                           "/v1/clients/cli_1/",
                           "/v1/clients/cli_1/records/",
                           "/v1/clients/cli_1//records",
                           "/V1/clients",
                           "/v1/Clients",
                           "/v1/clients/cli_1/records/r/v",
                           "/v1/./clients",
                           "/v1/../v1/clients",
                           "/v1/clients/cli_1/../cli_2",
                           "/v1/clients/%63li_1",
                           "/v1%2fclients",
                           "/v1/clients/cli_1%00",
                           "/v1/clients/a%2Fb",
                           "/v1/clients\\cli_1",
                           "/v1/clients;x=1",
                           "/health/live/",
                           "/health/liv",
                           "/health/livex",
                           "/metrics/x"}) {
    INFO(path);
    CHECK(Find(kGet, path) == "404");
  }
  CHECK(Find(kGet, "/v1/clients/..") == "getClient ..");  // an id that no client has
  CHECK(Find(kGet, std::string("/v1/clients/a\0b", 15)) == "getClient " + std::string("a\0b", 3));
}

TEST_CASE("a path that has other methods says which") {
  CHECK(Find(kDelete, "/v1/clients") == "405 POST, GET, HEAD, OPTIONS");
  CHECK(Find(kPut, "/v1/clients/cli_1") == "405 GET, HEAD, PATCH, DELETE, OPTIONS");
  CHECK(Find(kPost, "/health/live") == "405 GET, HEAD, OPTIONS");
  CHECK(Find(kPost, "/v1/clients/c/records/r") == "405 GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  // It is also a client's path, although no client is named so.
  CHECK(Find(kPut, "/v1/clients/search") == "405 POST, GET, HEAD, PATCH, DELETE, OPTIONS");
  CHECK(FindRoute(Routes(), std::nullopt, "/v1/clients").allow == "POST, GET, HEAD, OPTIONS");
  CHECK(FindRoute(Routes(), std::nullopt, "/v1/nothing").allow.empty());
  CHECK(FindRoute(Routes(), std::nullopt, "*").allow ==
        "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  CHECK(Find(kGet, "/v1/clients/search") == "getClient search");
}

TEST_CASE("each route is found by its own path and no two share one") {
  std::set<std::pair<Method, std::string_view>> places;
  std::set<std::string_view> operations;
  for (const Route& route : Routes()) {
    INFO(route.operation_id);
    CHECK(places.emplace(route.method, route.path).second);
    CHECK(operations.insert(route.operation_id).second);
    CHECK(route.handler != nullptr);
    CHECK(FindRoute(Routes(), route.method, route.path).route ==
          &route);  // "{client}" is a segment too
  }
}

TEST_CASE("who needs nobody to be known is spelled out, and nothing of clients is among it") {
  std::set<std::string_view> open;
  for (const Route& route : Routes()) {
    if (!route.permission.action()) open.insert(route.path);
  }
  CHECK(open == std::set<std::string_view>{"/health/live", "/health/ready", "/openapi.json"});
}

TEST_CASE("a route takes a body only with a method that has one, and bounds it") {
  for (const Route& route : Routes()) {
    INFO(route.operation_id);
    const bool may = route.method == kPost || route.method == kPut || route.method == kPatch;
    CHECK((may || route.body == Body::kNone));
  }
  CHECK(BodyLimit(Body::kNone) == 0);
  CHECK(BodyLimit(Body::kJson) == 512 * 1024);
  CHECK(BodyLimit(Body::kNdjson) == 8 * 1024 * 1024);
}

TEST_CASE("methods are named as HTTP names them") {
  const std::map<std::string_view, Method> names = {
      {"GET", kGet}, {"POST", kPost}, {"PUT", kPut}, {"PATCH", kPatch}, {"DELETE", kDelete}};
  for (const auto& [name, method] : names) {
    CHECK(Name(method) == name);
    CHECK(MethodFromName(name) == method);
  }
  CHECK(MethodFromName("HEAD") == kGet);
  for (const char* other : {"", "get", "head", "OPTIONS", "TRACE", "CONNECT", "GET "}) {
    CHECK(!MethodFromName(other));
  }
}

TEST_CASE("a query parameter is the first of its name, and empty when there is none") {
  Call call;
  call.query = {{"a", "1"}, {"b", ""}, {"a", "2"}};
  CHECK(call.Query("a") == "1");
  CHECK(call.Query("b").empty());
  CHECK(call.Query("c").empty());
}

}  // namespace
}  // namespace coffer::api
