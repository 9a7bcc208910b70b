// Queries: what a route does not know, what is empty, and what is given twice is refused by name.
#include "api/http/query.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "api/routes/routes.h"

namespace coffer::api {
namespace {

// The parameters that were read, or the refusal with the place that it names.
std::string Read(const Route& route, const std::string& query) {
  Call call;
  const auto read = ReadQuery(route, "/path" + query, call);
  if (!read) {
    const Error& error = read.error();
    CHECK(error.code == Code::kInvalidArgument);
    return std::string(error.reason) + (error.issues.empty() ? "" : " " + error.issues[0].pointer);
  }
  std::string text;
  for (const auto& [name, value] : call.query) text += "[" + name + "=" + value + "]";
  return text;
}

TEST_CASE("every parameter of every route is refused where it is empty, blank or repeated") {
  int parameters = 0;
  for (const Route& route : Routes()) {
    for (const std::string_view known : route.query) {
      const std::string name(known);
      INFO(route.operation_id << " " << name);
      ++parameters;
      CHECK(Read(route, "?" + name + "=a") == "[" + name + "=a]");
      const std::string refused = "parameter_invalid query:" + name;
      for (const char* nothing : {"", "=", "=%20", "=+", "=%09", "=%0a", "=+%20+"}) {
        CHECK(Read(route, "?" + name + nothing) == refused);
      }
      for (const char* again : {"=a", "=b", "=", ""}) {
        CHECK(Read(route, "?" + name + "=a&" + name + again) == refused);
        CHECK(Read(route, "?" + name + again + "&" + name + "=a") == refused);
      }
      CHECK(Read(route, "?" + name + "=" + std::string(301, 'a')) == refused);
      for (const char* broken : {"=%", "=%2", "=%zz", "=a%2"}) {
        CHECK(Read(route, "?" + name + broken) == refused);
      }
    }
    for (const char* unknown : {"?unknown=a", "?unknown", "?unknown="}) {
      CHECK(Read(route, unknown) == "parameter_unknown");
    }
    for (const char* unnamed : {"?", "?=a", "?&"}) {
      CHECK(Read(route, unnamed) == "parameter_invalid query:");
    }
    CHECK(Read(route, "").empty());
  }
  CHECK(parameters > 70);
}

TEST_CASE("values are read as forms write them") {
  const Route& route = *FindRoute(Routes(), Method::kGet, "/v1/clients").route;
  CHECK(Read(route, "?tag=a%20b+c%2Bd%2b&limit=5") == "[tag=a b c+d+][limit=5]");
  CHECK(Read(route, "?tag=a=b") == "[tag=a=b]");
  CHECK(Read(route, "?tag=%C3%A4?") == "[tag=\xc3\xa4?]");
  CHECK(Read(route, "?limit=5&") == "parameter_invalid query:");
  CHECK(Read(route, "?limit=5&&tag=a") == "parameter_invalid query:");
  CHECK(Read(route, "?Tag=a") == "parameter_unknown");
  CHECK(Read(route, "?t%61g=a") == "parameter_unknown");
}

TEST_CASE("text is blank that has nothing but blanks") {
  for (const char* text : {"", " ", "\t\r\n", "  \v\f", "\u00a0", "\u3000\u200b", "\ufeff"}) {
    CHECK(IsBlank(text));
  }
  for (const char* text : {"a", " a ", ".", "\u00a0a", "\xa0", "\u200b\u00e4"})
    CHECK(!IsBlank(text));
}

}  // namespace
}  // namespace coffer::api
