// Whatever is sent: no text of a request is looked at by anything that takes more than its length
// before it is bounded, and no error is longer than problem.h says. Over all routes that the API
// describes, and all their members and parameters.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "api/http/input.h"
#include "api/http/query.h"
#include "api/openapi/document.h"
#include "crypto/internal/unicode.h"
#include "tests/api/routes/api_calls.h"
#include "tests/support/sampling.h"

namespace coffer::api {
namespace {

using enum Role;

constexpr std::size_t kMaxProblemBytes = 64 * 1024;

constexpr std::string_view kHostileUnits[] = {
    "\xcc\x80",                              // U+0300, a combining mark
    "\xef\xb7\xba",                          // U+FDFA, which decomposes to eighteen characters
    "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8",  // Hangul Jamo, which compose
};

std::string FilledWith(std::string_view unit, std::size_t bytes) {
  std::string text;
  while (text.size() + unit.size() <= bytes) text += unit;
  return text;
}

const json& Described() {
  static const json document = json::parse(OpenApiDocument());
  return document;
}

const json& Resolved(const json& schema) {
  const json* at = &schema;
  while (at->contains("$ref")) {
    at = &Described().at(json::json_pointer(at->at("$ref").get<std::string>().substr(1)));
  }
  return *at;
}

struct BodyRoute {
  const Route* route = nullptr;
  json example;
  std::vector<std::string> texts, lists;  // members
};

void AddMembers(const json& schema, BodyRoute& route) {
  const json properties = schema.value("properties", json::object());
  for (auto member = properties.begin(); member != properties.end(); ++member) {
    const json type = Resolved(member.value()).value("type", json());
    const bool text = type == "string" || (type.is_array() && type.front() == "string");
    if (text) route.texts.push_back(member.key());
    if (type == "array") route.lists.push_back(member.key());
  }
}

// Those with a JSON body, as they are described.
std::vector<BodyRoute> BodyRoutes() {
  std::vector<BodyRoute> all;
  for (const Route& route : Routes()) {
    if (route.body != Body::kJson && route.body != Body::kMergePatch) continue;
    std::string method(Name(route.method));
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
    const json& content = Described()
                              .at("paths")
                              .at(std::string(route.path))
                              .at(method)
                              .at("requestBody")
                              .at("content")
                              .at(MediaTypeOf(route.body));
    BodyRoute one{&route, content.value("example", json::object()), {}, {}};
    const json& schema = Resolved(content.at("schema"));
    AddMembers(schema, one);
    for (const char* several : {"oneOf", "anyOf", "allOf"}) {
      const json parts = schema.value(several, json::array());
      for (const json& part : parts) AddMembers(Resolved(part), one);
    }
    all.push_back(std::move(one));
  }
  return all;
}

class HostileCalls : public ApiCalls {
 public:
  HostileCalls() {
    const Reply made = Post("/v1/clients", kCrmService, {{"external_ref", "A-1"}});
    REQUIRE(made.status == 201);
    client_ = Header(made, "Location").substr(std::string_view("/v1/clients/").size());
  }
  // Its path with something in each place that captures.
  std::string PathOf(const Route& route) const {
    std::string path(route.path);
    for (auto at = path.find('{'); at != path.npos; at = path.find('{')) {
      const auto end = path.find('}', at);
      const std::string name = path.substr(at + 1, end - at - 1);
      path.replace(at, end - at + 1, name == "client" ? client_ : "x");
    }
    return path;
  }
  // Checks what is so of every answer.
  Reply Send(const BodyRoute& one, const json& body, bool stranger, std::uint64_t most_work,
             Role role = kAdministrator) {
    const std::uint64_t before = crypto::internal::NormalisedBytes();
    const Reply reply =
        Do(one.route->method, PathOf(*one.route), role, body.dump(), [&](Call& call) {
          if (stranger) call.caller.token.clear();
          call.if_match = "\"1\"";
        });
    CHECK(crypto::internal::NormalisedBytes() - before <= most_work);
    CHECK(reply.body.size() <= kMaxProblemBytes);
    if (reply.status >= 400) {
      CHECK(reply.content_type == "application/problem+json");
      CHECK(Parsed(reply).value("errors", json::array()).size() <= kMaxIssues);
    }
    return reply;
  }

 private:
  std::string client_;
};

TEST_CASE(
    "a text that fills the body reaches no normaliser, in whatever member of whatever route") {
  HostileCalls api;
  const auto routes = BodyRoutes();
  REQUIRE(routes.size() > 25);
  std::size_t members = 0;
  for (const BodyRoute& one : routes) {
    for (const std::string& member : one.texts) {
      // As long as a body may be for one in eight; what is refused at a tenth of it is, too.
      if (members++ % testing::Every(4) != 0) continue;
      const std::size_t bytes = members % 8 == 1 ? kJsonBodyLimit - 20'000 : 50'000;
      INFO(one.route->operation_id << " " << member);
      json body = one.example.is_object() ? one.example : json::object();
      body[member] = FilledWith(kHostileUnits[members % std::size(kHostileUnits)], bytes);
      for (const bool stranger : {true, false}) {
        const Reply reply = api.Send(one, body, stranger, 0);
        CHECK(reply.status >= 400);
        CHECK(reply.status < 500);
      }
    }
    for (const std::string& member : one.lists) {
      INFO(one.route->operation_id << " " << member);
      json body = one.example.is_object() ? one.example : json::object();
      body[member] = json::array({FilledWith(kHostileUnits[0], 50'000)});
      CHECK(api.Send(one, body, true, 0).status >= 400);
      body[member] = json::array();
      while (body[member].size() < 200) body[member].push_back(FilledWith(kHostileUnits[0], 400));
      CHECK(api.Send(one, body, false, 0).status < 600);
    }
  }
  CHECK(members > 40);
}

TEST_CASE("the largest text that is let in costs no more than it is long") {
  HostileCalls api;
  int calls = 0;
  for (const BodyRoute& one : BodyRoutes()) {
    for (const std::string& member : one.texts) {
      for (const std::string_view unit : kHostileUnits) {
        if (calls++ % testing::Every(5) != 0) continue;
        INFO(one.route->operation_id << " " << member);
        json body = one.example.is_object() ? one.example : json::object();
        body[member] = FilledWith(unit, kMaxText);
        // The password rules compare with the name of the account, in two ways.
        CHECK(api.Send(one, body, true, 4 * kMaxText).status < 500);
        CHECK(api.Send(one, body, false, 4 * kMaxText).status < 500);
      }
    }
  }
}

TEST_CASE("a document whose every text is as long as it may be costs no more than it is long") {
  HostileCalls api;
  json fields, data;
  for (int i = 0; i < 62; ++i) {
    const std::string name = "f" + std::to_string(i);
    fields[name] = {{"type", "string"}, {"index", true}};
    data[name] = FilledWith(kHostileUnits[0], 2000);  // 1,000 characters
  }
  api.PutClass({{"name", "wide"}, {"purposes", {"client-care"}}, {"fields", fields}});
  const auto routes = BodyRoutes();
  const auto create = std::ranges::find(routes, std::string_view("createRecord"),
                                        [](const auto& one) { return one.route->operation_id; });
  REQUIRE(create != routes.end());
  const auto work = data.dump().size();
  CHECK(api.Send(*create, {{"class", "wide"}, {"data", data}}, true, work).status == 401);
  CHECK(api.Send(*create, {{"class", "wide"}, {"data", data}}, false, work, kCrmService).status ==
        201);
  data["f0"] = FilledWith(kHostileUnits[0], 2002);
  CHECK(api.Send(*create, {{"class", "wide"}, {"data", data}}, false, work, kCrmService).status ==
        422);
}

TEST_CASE("no answer repeats, or counts up, what was sent without end") {
  HostileCalls api;
  json many, keys;
  for (int i = 0; i < 3'000; ++i) many["member" + std::to_string(i)] = i;
  for (int i = 0; i < 60; ++i) keys[std::string(1'000, '\x01') + std::to_string(i)] = 1;
  json long_key = {{std::string(70'000, '~'), 1}};
  for (const BodyRoute& one : BodyRoutes()) {
    for (const json* body : {&many, &keys, &long_key}) {
      INFO(one.route->operation_id);
      for (const bool stranger : {true, false}) {
        const Reply reply = api.Send(one, *body, stranger, 0);
        CHECK(reply.status >= 400);
        CHECK(reply.status < 500);
      }
    }
    json nested = one.example.is_object() ? one.example : json::object();
    for (const char* member : {"data", "content", "limits", "conditions", "tags", "fields"}) {
      if (nested.contains(member)) nested[member] = many;
    }
    api.Send(one, nested, false, kJsonBodyLimit);
  }
}

TEST_CASE("the lines of a refused import name a few errors each") {
  HostileCalls api;
  std::string lines;
  for (int i = 0; i < 500; ++i) {
    json line = {{"external_ref", "A-1"}, {"data", json::object()}};
    for (int k = 0; k < 60; ++k) line["m" + std::to_string(k)] = 1;
    lines += line.dump() + "\n";
  }
  const Reply reply = api.Do(Method::kPost, "/v1/import", kCrmService, lines,
                             [](Call& call) { call.query.emplace_back("class", "contact"); });
  CHECK(reply.status == 200);
  CHECK(reply.body.size() < lines.size());
  for (std::string_view rest = reply.body; !rest.empty();) {
    const auto end = rest.find('\n');
    CHECK(json::parse(rest.substr(0, end)).at("errors").size() <= kMaxLineIssues);
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
}

TEST_CASE("a query value is bounded before it is decoded") {
  for (const Route& route : Routes()) {
    for (const std::string_view name : route.query) {
      INFO(route.operation_id << " " << name);
      for (const std::string_view unit : {"%CC%80", "a"}) {
        const std::string value = FilledWith(unit, 7000);
        Call call;
        const auto read =
            ReadQuery(route, std::string(route.path) + "?" + std::string(name) + "=" + value, call);
        REQUIRE(!read);
        CHECK(read.error().reason == "parameter_invalid");
        CHECK(call.query.empty());
      }
    }
  }
}

TEST_CASE("a problem document is cut where it would be long, and says so") {
  Error error{Code::kUnprocessable, "request_invalid", {}, {}};
  for (int i = 0; i < 1000; ++i) {
    error.issues.push_back({"/" + FilledWith("\xd0\x96", 5001), std::string(5000, 'm')});
  }
  const json problem = json::parse(RenderProblem(error, "call_x").body);
  REQUIRE(problem.at("errors").size() == kMaxIssues);
  CHECK(problem.at("errors").back().at("message") == "there are more errors than are listed");
  const json first = problem.at("errors").front();
  const std::string pointer = first.at("pointer");
  CHECK(pointer.size() <= kMaxPointer);
  CHECK(pointer.ends_with("..."));
  CHECK(first.at("message").get<std::string>().size() == kMaxMessage);
}

}  // namespace
}  // namespace coffer::api
