// Requests of persons and what waits today: what is sent, what is asked for, and what is told
// apart.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kAsked =
    R"({"id":"req_1","client":"cli_1","kind":"erasure","regime":"gdpr","regime_version":0,
        "channel":"email","asked_by":"client","state":"received","standing":"overdue",
        "last_day":"2026-02-02","received":"2026-01-02T00:00:00.000Z","said":"hidden",
        "possible_steps":["accept","refuse"],"duplicates":["req_2"],"holds":["hold_1"],
        "steps":[{"step":"register","at":"2026-01-02T00:00:00.000Z","by":"usr_1","entry":7},
                 {"step":"answer","at":"2026-01-03T00:00:00.000Z","by":"usr_1","entry":9,
                  "shown_by":[{"entry":8,"action":"client.erase"}]},
                 {"step":"recompute","at":"2026-01-03T00:00:00.000Z","entry":10}]})";

bool Tells(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a request is registered as it was typed, and shown with what it lacks") {
  Tool coffer(InTurn({Reply(201, kAsked)}));
  const Ran ran = coffer({"request", "register", "cli_1", "--kind", "erasure", "--regime", "gdpr",
                          "--channel", "email", "--received", "2026-01-02", "--words", "Delete it",
                          "--attachment", "a", "--attachment", "b"});
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  for (const char* part : {"OVERDUE, last day 2026-02-02", "hidden from this role", "req_2",
                           "hold_1", "entry 8, client.erase", "the vault", "accept, refuse"}) {
    INFO(part);
    CHECK(Tells(ran.out, part));
  }
  REQUIRE(coffer.server.requests().size() == 1);
  CHECK(json::parse(coffer.server.requests()[0].body) ==
        json::parse(R"({"kind":"erasure","regime":"gdpr","channel":"email","client":"cli_1",
                        "received":"2026-01-02","words":"Delete it",
                        "attachments":["a","b"]})"));
  CHECK(coffer({"request", "register", "cli_1", "--kind", "erasure"}).exit == 2);
}

TEST_CASE("each step says what belongs to it and nothing else") {
  struct Row {
    std::vector<std::string> typed;
    const char* sent;  // null: it is not understood
  };
  const Row rows[] = {
      {{"acknowledge", "req_1", "--letter", "L"}, R"({"step":"acknowledge","letter":"L"})"},
      {{"check-identity", "req_1"}, R"({"step":"check_identity"})"},
      {{"accept", "req_1", "--client", "cli_1"}, R"({"step":"accept","client":"cli_1"})"},
      {{"start", "req_1"}, R"({"step":"start"})"},
      {{"extend", "req_1", "--words", "w"}, R"({"step":"extend","words":"w"})"},
      {{"answer", "req_1", "--entry", "7", "--entry", "8", "--together"},
       R"({"step":"answer","entries":[7,8],"together":true})"},
      {{"answer", "req_1", "--erasure", "era_1", "--article", "17(3)(b)"},
       R"json({"step":"answer","erasure":"era_1","article":"17(3)(b)"})json"},
      {{"refuse", "req_1", "--article", "a", "--letter", "L"},
       R"({"step":"refuse","article":"a","letter":"L"})"},
      {{"withdraw", "req_1"}, R"({"step":"withdraw"})"},
      {{"close", "req_1"}, R"({"step":"close"})"},
      {{"reopen", "req_1", "--words", "w"}, R"({"step":"reopen","words":"w"})"},
      {{"note", "req_1", "--words", "w"}, R"({"step":"note","words":"w"})"},
      {{"extend", "req_1"}, nullptr},
      {{"refuse", "req_1", "--article", "a"}, nullptr},
      {{"refuse", "req_1", "--letter", "L"}, nullptr},
      {{"reopen", "req_1"}, nullptr},
      {{"start", "req_1", "--letter", "L"}, nullptr},
      {{"close", "req_1", "--entry", "7"}, nullptr},
      {{"answer", "req_1", "--entry", "x"}, nullptr},
      {{"answer", "req_1", "--entry", "-1"}, nullptr},
      {{"start"}, nullptr}};
  for (const Row& row : rows) {
    Tool coffer(InTurn({Reply(200, kAsked)}));
    std::vector<std::string> typed = {"request"};
    typed.insert(typed.end(), row.typed.begin(), row.typed.end());
    const Ran ran = coffer(typed);
    INFO(row.typed[0] << ": " << ran.err);
    CHECK(ran.exit == (row.sent == nullptr ? 2 : 0));
    const auto& requests = coffer.server.requests();
    REQUIRE(requests.size() == (row.sent == nullptr ? 0 : 1));
    if (row.sent == nullptr) continue;
    CHECK(requests[0].target == "/v1/requests/req_1/steps");
    CHECK(json::parse(requests[0].body) == json::parse(row.sent));
  }
}

TEST_CASE("a list of requests names its filters, and says when nothing is like that") {
  Tool coffer(InTurn({Reply(200, std::string(R"({"items":[)") + kAsked + "]}"),
                      Reply(200, R"({"items":[]})"), Reply(200, R"({"items":[]})")}));
  const std::string listed = coffer({"request", "list", "--due", "soon", "--days", "3", "--client",
                                     "cli_1", "--kind", "erasure", "--state", "received"})
                                 .out;
  CHECK(Tells(listed, "OVERDUE"));
  CHECK(coffer.server.requests()[0].target ==
        "/v1/requests?due=soon&days=3&client=cli_1&kind=erasure&state=received");
  CHECK(coffer({"request", "list"}).out == "No request is like that.\n");
  CHECK(json::parse(coffer({"request", "list", "--json"}).out) == json::parse(R"({"items":[]})"));
  CHECK(coffer({"request", "list", "--due", "yesterday"}).exit == 2);
}

TEST_CASE("today asks only for what the role may read") {
  const auto me = [](const char* actions) {
    return Reply(200, std::string(R"({"principal":{"role":"r"},"actions":)") + actions + "}");
  };
  Tool none(InTurn({me(R"(["client.read","self.read"])")}));
  const Ran nothing = none({"today"});
  CHECK(nothing.exit == 0);
  CHECK(nothing.out == "For the role r nothing is kept that could wait.\n");
  CHECK(none.server.requests().size() == 1);

  Tool some(InTurn({me(R"(["request.read","hold.read"])"),
                    Reply(200, std::string(R"({"items":[)") + kAsked + "]}"),
                    Reply(200, R"({"items":[]})")}));
  const Ran ran = some({"today", "--days", "3"});
  CAPTURE(ran.err);
  CHECK(Tells(ran.out, "req_1  erasure of cli_1, overdue"));
  CHECK(Tells(ran.out, "No hold is to be looked at again."));
  CHECK(!Tells(ran.out, "approved"));
  REQUIRE(some.server.requests().size() == 3);
  CHECK(some.server.requests()[1].target == "/v1/requests?due=soon&days=3");
  CHECK(some.server.requests()[2].target == "/v1/holds");

  Tool breached(InTurn(
      {me(R"(["breach.read"])"),
       Reply(200, R"({"items":[{"id":"brc_1","aware":"2026-01-01T00:00:00.000Z","facts":"WORDS",
           "clocks":[{"regime":"gdpr","stage":"notice","state":"overdue","due":"2026-01-04"},
                     {"regime":"pipl","stage":"notice","state":"at-once"},
                     {"regime":"ru-152fz","stage":"notice","state":"done"}]}]})")}));
  const Ran open = breached({"today"});
  CHECK(Tells(open.out,
              "brc_1  known since 2026-01-01T00:00:00.000Z; gdpr notice overdue, before "
              "2026-01-04; pipl notice at-once\n"));
  CHECK(!Tells(open.out, "WORDS"));
  CHECK(!Tells(open.out, "ru-152fz"));
  CHECK(breached.server.requests().back().target == "/v1/breaches?state=open");
  Tool notices(InTurn(
      {me(R"(["notice.read"])"),
       Reply(200, R"({"items":[{"id":"ntc_1","title":"T","effective":"2026-01-01T00:00:00.000Z"},
                               {"id":"ntc_2","title":"T","effective":"9999-01-01T00:00:00.000Z"}]})")}));
  const Ran due = notices({"today"});
  CHECK(Tells(due.out, "ntc_1  T, in effect from 2026-01-01T00:00:00.000Z"));
  CHECK(!Tells(due.out, "ntc_2"));
  CHECK(notices.server.requests()[1].target == "/v1/notices?state=open");

  Tool vault(InTurn(
      {me(R"(["approval.read","emergency.read","status.read"])"),
       Reply(200, R"({"items":[{"id":"apr_1","state":"pending"},{"id":"apr_2","state":"used"}]})"),
       Reply(200, R"({"items":[{"id":"emg_1"},{"id":"emg_2","reviewed":"2026-01-01"}]})"),
       Reply(200, R"({"waiting_for_clock":true,"classes_without_policy":2,"scrub":{"damaged":1},
                      "backups":{"with_problem":1,"drill_failed":true,"drill_overdue":false}})")}));
  const json all = json::parse(vault({"today", "--json"}).out);
  CHECK(all.at("approvals").size() == 1);
  CHECK(all.at("emergency_access").size() == 1);
  CHECK(all.at("vault").size() == 5);
  CHECK(!all.contains("requests"));
}

TEST_CASE("regimes are put by the name in the file, and listed with what they lack") {
  Tool coffer(InTurn({Reply(200, R"({"items":[
      {"name":"gdpr","version":0,"built_in":true,"calendar":false,"definition":{"title":"G"}},
      {"name":"mine","version":2,"built_in":false,"calendar":true,"calendar_ends":"2027-12-31",
       "definition":{"title":"M","time_zone":"Europe/Berlin"}}]})")}));
  const std::string listed = coffer({"regime", "list"}).out;
  CHECK(Tells(listed, "each day counts as a working day"));
  CHECK(Tells(listed, "to 2027-12-31"));
  CHECK(Tells(listed, "built in"));
  CHECK(coffer({"regime", "put"}).exit == 2);
}

}  // namespace coffer::cli
