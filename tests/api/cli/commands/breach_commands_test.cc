// coffer breach: what is asked for, what is told, and tables that no spreadsheet runs.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

json ScopeWith(const json& more) {
  json scope = {{"size", 900},
                {"searched", 800},
                {"matched", 12},
                {"denied", 2},
                {"entries", 9},
                {"possible", 0},
                {"without_address", 0},
                {"unreadable", 0},
                {"exact", true},
                {"clients", 2},
                {"disclosed", 2},
                {"changed", 0},
                {"erased", 0},
                {"without_jurisdiction", 1},
                {"jurisdictions", json::array()},
                {"actions", json::array()},
                {"items", json::array()}};
  scope.update(more);
  return scope;
}

json ClientOf(const std::string& id, const std::string& class_name) {
  return {{"client", id},
          {"erased", false},
          {"jurisdictions", {"=cmd()"}},
          {"ways", {"read"}},
          {"entries", 3},
          {"possible", 0},
          {"first", "2026-01-01T00:00:00.000Z"},
          {"last", "2026-01-01T00:00:01.000Z"},
          {"purposes", {"client-care"}},
          {"classes",
           {{{"class", class_name},
             {"ways", {"read"}},
             {"entries", 3},
             {"records", 1},
             {"fields", {"@email", "phone"}}}}}};
}

bool BreachSays(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("all pages of a scope become one table, whose cells are no formulas") {
  Tool coffer(InTurn(
      {Reply(200, ScopeWith({{"items", {ClientOf("cli_1", "contact")}}, {"next_cursor", "9.cli_1"}})
                      .dump()),
       Reply(200, ScopeWith({{"items", {ClientOf("cli_2", "+x")}}}).dump())}));
  const Ran ran = coffer({"breach", "scope", "--token", "tok_1", "--from", "2026-01-01", "--to",
                          "2026-01-02", "--csv"});
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  CHECK(ran.out ==
        "\"client\",\"erased\",\"jurisdictions\",\"class\",\"ways\",\"fields\",\"entries\","
        "\"records\",\"possible\",\"first\",\"last\",\"purposes\"\n"
        "\"cli_1\",\"false\",\"'=cmd()\",\"contact\",\"read\",\"'@email phone\",\"3\",\"1\",\"0\","
        "\"2026-01-01T00:00:00.000Z\",\"2026-01-01T00:00:01.000Z\",\"client-care\"\n"
        "\"cli_2\",\"false\",\"'=cmd()\",\"'+x\",\"read\",\"'@email phone\",\"3\",\"1\",\"0\","
        "\"2026-01-01T00:00:00.000Z\",\"2026-01-01T00:00:01.000Z\",\"client-care\"\n");
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].target == "/v1/breach-scopes");
  CHECK(json::parse(requests[0].body) ==
        json::parse(R"({"token":"tok_1","from":"2026-01-01T00:00:00.000Z",
                        "to":"2026-01-02T00:00:00.000Z","limit":10000})"));
  CHECK(json::parse(requests[1].body).at("cursor") == "9.cli_1");
}

TEST_CASE("what cannot be told of a scope is said") {
  const auto told = [](const json& more) {
    Tool coffer(InTurn({Reply(200, ScopeWith(more).dump())}));
    return coffer({"breach", "scope", "--principal", "anna"}).out;
  };
  CHECK(BreachSays(told({{"searched", 0}, {"matched", 0}}), "NOTHING WAS SEARCHED"));
  CHECK(BreachSays(told({{"matched", 0}}), "Nothing was found"));
  CHECK(BreachSays(told({{"clients", 0}}), "No client was met"));
  CHECK(BreachSays(told({{"possible", 4}}), "POSSIBLY OF ANOTHER TOKEN: 4"));
  CHECK(BreachSays(told({{"without_address", 5}}), "WITHOUT AN ADDRESS: 5"));
  CHECK(BreachSays(told({{"unreadable", 6}}), "DAMAGED: 6"));
  CHECK(BreachSays(
      told({{"actions", {{{"action", "hold.read"}, {"without_client", 7}, {"exact", false}}}}}),
      "NOT KNOWN EXACTLY: 7 answers of hold.read"));
  const std::string whole = told({{"items", {ClientOf("cli_1", "contact")}}});
  CHECK(BreachSays(whole, "plain text"));
  CHECK(BreachSays(whole, "cli_1"));
  Tool coffer(InTurn({}));
  CHECK(coffer({"breach", "scope"}).exit == 2);
  CHECK(coffer({"breach", "scope", "--address", "::1", "--breach", "brc_1", "--csv"}).exit == 2);
  CHECK(coffer({"breach", "note", "brc_1"}).exit == 2);
}

TEST_CASE("the register is written and shown as it was typed") {
  const std::string breach =
      R"j({"id":"brc_1","state":"open","aware":"2026-01-02T00:00:00.000Z","kinds":["integrity"],
           "taken":[],"readable":"unknown","regimes":["gdpr"],"facts":"Lost.",
           "clocks":[{"regime":"gdpr","article":"GDPR 33(1)","since":"2026-01-02T00:00:00.000Z",
                      "due":"2026-01-05T00:00:00.000Z","state":"overdue"}],
           "history":[{"number":0,"step":"opened","at":"2026-01-02T00:00:00.000Z","by":"usr_1",
                       "seq":17,"said":{"facts":"Lost."}}]})j";
  Tool coffer(InTurn({Reply(201, breach), Reply(200, breach), Reply(200, breach),
                      Reply(200, breach), Reply(200, breach),
                      Reply(200, R"({"items":[)" + breach + "]}"), Reply(200, breach)}));
  const Ran opened = coffer({"breach", "open", "--aware", "2026-01-02", "--kind", "integrity",
                             "--kind", "availability", "--regime", "gdpr", "--facts", "Lost."});
  CAPTURE(opened.err);
  CHECK(opened.exit == 0);
  CHECK(BreachSays(opened.out, "overdue"));
  CHECK(BreachSays(opened.out, "17"));
  CHECK(coffer({"breach", "note", "brc_1", "--effects", "None."}).exit == 0);
  CHECK(coffer({"breach", "scope", "--breach", "brc_1", "--address", "::1"}).exit == 0);
  CHECK(coffer({"breach", "notify", "brc_1", "--whom", "authority", "--regime", "ru-152fz",
                "--stage", "notice", "--name", "An authority", "--at", "2026-01-02T01:00:00Z"})
            .exit == 0);
  CHECK(coffer({"breach", "close", "brc_1", "--conclusion", "Over."}).exit == 0);
  CHECK(BreachSays(coffer({"breach", "list", "--state", "open"}).out, "gdpr overdue 2026-01-05"));
  CHECK(coffer({"breach", "show", "brc_1"}).exit == 0);
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 7);
  CHECK(json::parse(requests[0].body) ==
        json::parse(R"({"aware":"2026-01-02T00:00:00.000Z","kinds":["integrity","availability"],
                        "regimes":["gdpr"],"facts":"Lost."})"));
  CHECK(Asked(requests[1]) == R"(POST /v1/breaches/brc_1/notes {"effects":"None."})");
  CHECK(Asked(requests[2]) == R"(POST /v1/breaches/brc_1/scopes {"address":"::1"})");
  CHECK(json::parse(requests[3].body) ==
        json::parse(R"({"whom":"authority","regime":"ru-152fz","stage":"notice",
                        "name":"An authority","at":"2026-01-02T01:00:00.000Z"})"));
  CHECK(Asked(requests[4]) == R"(POST /v1/breaches/brc_1/close {"conclusion":"Over."})");
  CHECK(BreachSays(requests[5].target, "state=open"));
}

}  // namespace coffer::cli
