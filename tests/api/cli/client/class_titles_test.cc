// What classes and fields are called in words, beside their names.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

const std::string kTitledClient = "cli_01kdvr4w90jmrnv7e9z0c1ha1b";
const std::string kTitledUser = "usr_01kdvr4w90jmrnv7e9z0c1ht3n";

struct Shown {
  const char* what;
  std::vector<std::string> command;
  json answer;
  bool with_field = true;
};

std::vector<Shown> ShownWithTitles() {
  const json record = {
      {"id", "rec_1"}, {"class", "note"}, {"class_version", 1}, {"data", {{"name", "x"}}}};
  const json use = {{"seq", 7}, {"action", "record.read"}, {"class", "note"}, {"fields", {"name"}}};
  const json lease = {{"id", "lease_1"}, {"class", "note"}, {"fields", {"name"}}};
  return {
      {"records", {"get", kTitledClient, "--purpose", "client-care"}, {{"items", {record}}}},
      {"an explanation",
       {"explain", kTitledUser, "record.read", "--class", "note"},
       {{"allowed", true}, {"fields", {{"name", "plain"}}}}},
      {"uses", {"emergency", "show", "emg_1"}, {{"uses", {use}}}},
      {"an entry", {"log", "show", "7"}, {{"entry", use}}},
      {"leases", {"lease", "list", kTitledClient}, {{"items", {lease}}}},
      {"a preview",
       {"retention", "preview"},
       {{"counts", {{{"class", "note"}, {"policy", "note-1y"}, {"records", 3}}}}},
       false},
  };
}

FakeServer::Answer ServerOf(json answer, HttpReply of_class) {
  return [answer = answer.dump(), of_class = std::move(of_class)](const HttpRequest& request) {
    return request.target.starts_with("/v1/classes/") ? of_class : Reply(200, answer);
  };
}

HttpReply NoteWithTitles() {
  return Reply(200, R"({"name":"note","version":1,"definition":{"title":"A\u001b note","fields":{
      "name":{"type":"string","title":"Full name"},"other":{"type":"string"}}}})");
}

bool AskedForClasses(const Tool& tool) {
  return std::ranges::any_of(tool.server.requests(), [](const HttpRequest& request) {
    return request.target.starts_with("/v1/classes/");
  });
}

}  // namespace

TEST_CASE("at a terminal classes and fields have their titles beside their names") {
  for (const Shown& shown : ShownWithTitles()) {
    CAPTURE(shown.what);
    Tool coffer(ServerOf(shown.answer, NoteWithTitles()));
    coffer.at_terminal = true;
    const Ran ran = coffer(shown.command);
    CAPTURE(ran.out, ran.err);
    CHECK(ran.exit == 0);
    CHECK((shown.command[0] == "explain" || Has(ran.out, R"(note (A\x1b note))")));
    if (shown.with_field) CHECK(Has(ran.out, "name (Full name)"));
  }
}

TEST_CASE("titles that the caller may not read are not there, and all the rest is") {
  for (const Shown& shown : ShownWithTitles()) {
    CAPTURE(shown.what);
    Tool coffer(ServerOf(shown.answer, Reply(403, R"({"code":"permission_denied","status":403})")));
    coffer.at_terminal = true;
    const Ran ran = coffer(shown.command);
    CAPTURE(ran.out, ran.err);
    CHECK(ran.exit == 0);
    CHECK(ran.err.empty());
    CHECK((!shown.with_field || Has(ran.out, "name")));
    CHECK_FALSE(Has(ran.out, "("));
  }
}

TEST_CASE("a title that says no more than the name is left out") {
  const json record = {
      {"id", "rec_1"}, {"class", "note"}, {"data", {{"last_name", "x"}, {"fax", "y"}}}};
  Tool coffer(ServerOf({{"items", {record}}}, Reply(200, R"({"definition":{"title":"Note","fields":{
      "last_name":{"title":"Last name"},"fax":{"title":"Faxes"}}}})")));
  coffer.at_terminal = true;
  const Ran ran = coffer({"get", kTitledClient, "--purpose", "client-care"});
  CHECK(ran.exit == 0);
  CHECK_FALSE(Has(ran.out, "Last name"));
  CHECK_FALSE(Has(ran.out, "Note"));
  CHECK(Has(ran.out, "fax (Faxes)"));
}

TEST_CASE("programs are told names, and nothing more is asked for them") {
  for (const Shown& shown : ShownWithTitles()) {
    for (const bool as_json : {false, true}) {
      CAPTURE(shown.what, as_json);
      Tool coffer(ServerOf(shown.answer, NoteWithTitles()));
      coffer.at_terminal = as_json;
      std::vector<std::string> command = shown.command;
      if (as_json) command.emplace_back("--json");
      const Ran ran = coffer(command);
      CHECK(ran.exit == 0);
      CHECK_FALSE(Has(ran.out, "Full name"));
      CHECK_FALSE(AskedForClasses(coffer));
    }
  }
}

TEST_CASE("users are shown, changed and enrolled again by their login") {
  const json users = {{"items", {{{"id", kTitledUser}, {"login", "anna"}}}}};
  const std::vector<std::string> commands[] = {{"user", "show", "anna"},
                                               {"user", "set", "anna", "--enable"},
                                               {"user", "enrol-again", "anna"}};
  for (const auto& command : commands) {
    CAPTURE(command[1]);
    Tool coffer([&](const HttpRequest& request) {
      if (request.target == "/v1/users") return Reply(200, users.dump());
      return Reply(
          200, json{{"id", kTitledUser}, {"code", "x"}, {"user", {{"id", kTitledUser}}}}.dump());
    });
    CHECK(coffer(command).exit == 0);
    REQUIRE(coffer.server.requests().size() == 2);
    CHECK(coffer.server.requests()[1].target.starts_with("/v1/users/" + kTitledUser));
  }
}

TEST_CASE("who decided sees what became of it, and not all of the content again") {
  const json decided = {{"id", "apr_1"},
                        {"state", "approved"},
                        {"requester", kTitledUser},
                        {"question", {{"name", "demo-privacy"}}},
                        {"content", {{"basis", "some-words"}}}};
  for (const char* what : {"approve", "reject", "withdraw", "show"}) {
    CAPTURE(what);
    Tool coffer(InTurn({Reply(200, decided.dump())}));
    const Ran ran = coffer({"approval", what, "apr_1"});
    CHECK(ran.exit == 0);
    CHECK(Has(ran.out, "some-words") == (std::string_view(what) == "show"));
    CHECK_FALSE(Has(ran.out, "who is"));
    CHECK(Has(ran.out, "with --approval apr_1") == (std::string_view(what) != "show"));
    CHECK(Has(coffer({"approval", what, "apr_1", "--json"}).out, "some-words"));
  }
}

}  // namespace coffer::cli
