// Clients and records made, listed and changed from the command line.
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/import/field_values.h"
#include "tests/api/cli/files/standard_input.h"
#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kNoteClass =
    R"({"name":"note","version":3,"definition":{"fields":{"name":{"type":"string","required":true},
        "many":{"type":"list"},"count":{"type":"integer"},"sure":{"type":"boolean"},
        "due":{"type":"date"},"sum":{"type":"decimal"}}}})";
constexpr const char* kNote =
    R"({"id":"rec_1","client":"cli_1","class":"note","class_version":3,"version":4,
        "created":"2026-01-01T00:00:00.000Z","updated":"2026-01-02T00:00:00.000Z"})";
constexpr const char* kMadeClient =
    R"({"id":"cli_1","external_ref":"4711","tags":["eu","vip"],"version":1,
        "created":"2026-01-01T00:00:00.000Z","updated":"2026-01-02T00:00:00.000Z"})";

// Answers by what is asked for.
FakeServer::Answer NoteServer() {
  return [](const HttpRequest& request) -> Outcome<HttpReply> {
    if (request.target.starts_with("/v1/classes/")) return Reply(200, kNoteClass);
    if (request.target == "/v1/clients/search") {
      return Reply(200, R"({"items":[{"client":"cli_1"}]})");
    }
    if (request.method == "GET") return Reply(200, std::string(R"({"items":[)") + kNote + "]}");
    return Reply(request.method == "POST" ? 201 : 200, kNote);
  };
}

std::vector<std::string> With(std::vector<std::string> arguments,
                              const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  arguments.insert(arguments.end(), {"--purpose", "client-care"});
  return arguments;
}

}  // namespace

TEST_CASE("a record is made from fields as the class types them, a file, or standard input") {
  Tool coffer(NoteServer());
  const json expected = {{"name", "[Jane] = x"}, {"many", {"a", "b,c"}}, {"count", 5},
                         {"sure", true},         {"due", "2026-01-31"},  {"sum", "1.50"}};
  const std::string file = coffer.Secret("note.json", expected.dump());
  const std::vector<std::string> create = {"record", "create", "cli_1", "--class", "note"};
  const std::vector<std::string> set = {
      "--set",   "name=[Jane] = x", "--set",    "many=a", "--set",          "many=b,c", "--set",
      "count=5", "--set",           "sure=Yes", "--set",  "due=2026-01-31", "--set",    "sum=1.50"};
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> typed(std::fopen(file.c_str(), "rb"),
                                                              std::fclose);
  REQUIRE(typed != nullptr);
  const AsStandardInput input(fileno(typed.get()));
  for (const auto& more : {set, {file}, {"-"}}) {
    const Ran ran = coffer(With(create, more));
    CAPTURE(ran.err);
    CHECK(ran.exit == 0);
    CHECK(ran.out.contains("rec_1"));
    const HttpRequest& sent = coffer.server.requests().back();
    CHECK(sent.method + " " + sent.target == "POST /v1/clients/cli_1/records");
    CHECK(json::parse(sent.body) == json{{"class", "note"}, {"data", expected}});
  }
  const Ran by_ref = coffer(With({"record", "create", "--by-ref", "4711", "--class", "note"},
                                 {"--set", "name=x", "--json"}));
  CHECK(by_ref.exit == 0);
  CHECK(json::parse(by_ref.out) == json::parse(kNote));
}

TEST_CASE("a record is changed by a patch of the version that was seen") {
  Tool coffer(NoteServer());
  const std::vector<std::string> update = {"record", "update", "cli_1", "rec_1"};
  CHECK(coffer(With(update, {"--set", "count=7", "--unset", "many", "--unset", "gone"})).exit == 0);
  const auto& requests = coffer.server.requests();
  CHECK(requests.back().method + " " + requests.back().target ==
        "PATCH /v1/clients/cli_1/records/rec_1");
  CHECK(requests.back().content_type == "application/merge-patch+json");
  CHECK(HeaderOf(requests.back(), "If-Match") == "\"4\"");
  CHECK(json::parse(requests.back().body) ==
        json::parse(R"({"data":{"count":7,"many":null,"gone":null}})"));
  // Nothing of what is in it is read for that.
  for (const HttpRequest& request : requests) CHECK_FALSE(request.target.contains("data=true"));
  const Ran same = coffer(With(update, {"--set", "count=7"}));
  CHECK(same.out.contains("Nothing changed."));

  CHECK(coffer(With(update, {"--set", "name=x", "--replace", "--version", "2"})).exit == 0);
  CHECK(requests.back().method == "PUT");
  CHECK(requests.back().content_type == "application/json");
  CHECK(HeaderOf(requests.back(), "If-Match") == "\"2\"");
  const auto before = requests.size();
  CHECK(coffer(With({"record", "update", "cli_1", "rec_2"}, {"--set", "name=x"})).exit == 1);
  CHECK(requests.size() == before + 1);
}

TEST_CASE("what cannot be meant for a record is said before it is sent") {
  Tool coffer(NoteServer());
  const std::string list = coffer.Secret("list.json", "[1]");
  const std::string twice = coffer.Secret("twice.json", R"({"name":"x"})");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "no field was given"},
      {{"--set", "nonsense=1"}, "no field \"nonsense\""},
      {{"--set", "name"}, "is not understood"},
      {{"--set", "=x"}, "is not understood"},
      {{"--set", "name="}, "gives no value"},
      {{"--set", "name=x", "--set", "name=y"}, "given twice"},
      {{"--set", "count=5.0"}, "must be an integer"},
      {{"--set", "sure=maybe"}, "must be true or false"},
      {{"--set", "name=\xff"}, "is not UTF-8 text"},
      {{list}, "is not a JSON object"},
      {{twice, "--set", "name=x"}, "given twice"},
      {{"missing.json"}, "cannot open missing.json"}};
  for (const auto& [more, message] : cases) {
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"record", "create", "cli_1"},
          std::vector<std::string>{"record", "update", "cli_1", "rec_1"}}) {
      auto arguments = With(command, more);
      if (command[1] == "create") arguments.insert(arguments.end(), {"--class", "note"});
      const Ran ran = coffer(arguments);
      CAPTURE(arguments, ran.err);
      CHECK(ran.exit == 2);
      CHECK(ran.err.contains(message));
    }
  }
  for (const HttpRequest& request : coffer.server.requests()) CHECK(request.method == "GET");
}

TEST_CASE("a client is made from options or a file") {
  Tool coffer(InTurn({Reply(201, kMadeClient)}));
  CHECK(coffer(With({"client", "create"}, {"--ref", "4711", "--tag", "vip", "--tag", "eu",
                                           "--relationship-end", "2026-03-31", "--accept-erased"}))
            .exit == 0);
  const auto& requests = coffer.server.requests();
  CHECK(json::parse(requests.back().body) ==
        json::parse(R"({"external_ref":"4711","tags":["vip","eu"],"erased_before":"accept",
                        "relationship_end":"2026-03-31T00:00:00.000Z"})"));
  const std::string file = coffer.Secret("client.json", R"({"external_ref":"4711"})");
  const Ran ran = coffer(With({"client", "create", file}, {"--tag", "vip"}));
  CHECK(ran.out.contains("4711"));
  CHECK(ran.out.contains("eu vip"));
  CHECK(json::parse(requests.back().body) ==
        json::parse(R"({"external_ref":"4711","tags":["vip"]})"));
  CHECK(coffer(With({"client", "create", file}, {"--ref", "x"})).err.contains("given twice"));
  CHECK(coffer(With({"client", "create"}, {})).exit == 0);
  CHECK(requests.back().body == "{}");
}

TEST_CASE("clients are listed over as many pages as it takes, and a cut list says so") {
  const std::string item = kMadeClient;
  Tool coffer(InTurn({Reply(200, R"({"items":[)" + item + R"(],"next_cursor":"c1"})"),
                      Reply(200, R"({"items":[)" + item + R"(],"next_cursor":"c2"})"),
                      Reply(200, R"({"items":[)" + item + "]}"),
                      Reply(200, R"({"items":[)" + item + R"(],"next_cursor":"c1"})"),
                      Reply(200, R"({"items":[]})")}));
  const Ran all = coffer(With({"client", "list"}, {"--tag", "vip", "--class", "contact"}));
  CHECK(all.exit == 0);
  CHECK(all.out.contains("cli_1   4711       eu vip  2026-01-02"));
  CHECK_FALSE(all.out.contains("more"));
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].target == "/v1/clients?tag=vip&class=contact&limit=200");
  CHECK(requests[2].target == "/v1/clients?tag=vip&class=contact&limit=200&cursor=c2");
  const Ran cut = coffer(With({"client", "list"}, {"--limit", "1"}));
  CHECK(requests.back().target == "/v1/clients?limit=1");
  CHECK(cut.out.contains("more than these 1"));
  CHECK(coffer(With({"client", "list"}, {})).out == "No clients.\n");
  const Ran listed = coffer(With({"client", "list"}, {"--json"}));
  CHECK(json::parse(listed.out) == json::parse(R"({"items":[],"more":false})"));
}

}  // namespace coffer::cli
