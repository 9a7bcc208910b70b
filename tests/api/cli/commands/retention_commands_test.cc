// Retention through the tool: what is sent, and what is shown of the answers.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kStored =
    R"({"version":3,"created":"2026-01-01T00:00:00.000Z","definition":{"time_zone":"UTC"}})";
constexpr const char* kRun =
    R"({"id":"run_1","schedule":3,"state":"failed","reason":"operator_incomplete",
        "trigger":"demand","started":"2026-01-01T00:00:00.000Z","due":9,"erased":7,"restricted":0,
        "for_review":1,"held":0,"failed":1,"waiting":12,"unreached":0,"unknown":13,
        "counted":false,"detail":"US/Nowhere"})";

bool Shows(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a schedule is put as its file has it, and asked for as it will be put") {
  Tool coffer(InTurn({Reply(200, kStored)}));
  const std::string text = R"({"time_zone": "UTC", "policies": []})";
  const std::string file = coffer.Secret("schedule.json", text);
  const Ran ran = coffer({"retention", "schedule", "put", file});
  CAPTURE(ran.out, ran.err);
  CHECK(ran.exit == 0);
  CHECK(Shows(ran.out, "version 3"));
  CHECK(coffer({"retention", "schedule", "show", "--version", "2"}).exit == 0);
  CHECK(coffer({"retention", "schedule", "put", coffer.Secret("no.json", "{")}).exit == 2);
  REQUIRE(coffer.server.requests().size() == 2);
  CHECK(Asked(coffer.server.requests()[0]) == "PUT /v1/retention/schedule " + text + "\n");
  CHECK(Asked(coffer.server.requests()[1]) == "GET /v1/retention/schedule?version=2 ");

  Tool asking(InTurn({Reply(201, R"({"id":"apr_1"})")}));
  CHECK(asking({"approval", "request", "schedule", asking.Secret("schedule.json", text)}).exit ==
        0);
  CHECK(asking({"approval", "request", "confirm-clock", "2026-01-02"}).exit == 0);
  REQUIRE(asking.server.requests().size() == 2);
  CHECK(json::parse(asking.server.requests()[0].body) == json{{"action", "retention.write"},
                                                              {"target", "schedule"},
                                                              {"content", json::parse(text)}});
  CHECK(json::parse(asking.server.requests()[1].body) ==
        json{{"action", "clock.confirm"}, {"target", "2026-01-02"}});
}

TEST_CASE("what a class does to due dates is shown and asked for, and nothing is put") {
  const std::string text = R"({"name": "deal", "retention_date": "closed"})";
  Tool coffer(InTurn(
      {Reply(200, R"({"class":"deal","version":1,"schedule":3,"at":"2026-01-01T00:00:00.000Z",
               "moves_due_dates":true,"changes":[{"policy":"deal-3y","action":"erase",
               "records":20,"unchanged":1,"sooner":17,"later":2,"begins":0,"ends":0,
               "unreadable":0,"due_before":4,"due_after":16}]})"),
       Reply(201, R"({"id":"apr_1"})")}));
  const std::string file = coffer.Secret("deal.json", text);
  const Ran preview = coffer({"class", "put", file, "--preview"});
  CAPTURE(preview.out, preview.err);
  CHECK(preview.exit == 0);
  for (const char* part : {"deal-3y", "SOONER", "17", "DUE AFTER", "16", "two people"}) {
    CHECK(Shows(preview.out, part));
  }
  CHECK(coffer({"approval", "request", "class", file}).exit == 0);
  REQUIRE(coffer.server.requests().size() == 2);
  CHECK(Asked(coffer.server.requests()[0]) == "POST /v1/classes/deal/preview " + text + "\n");
  CHECK(json::parse(coffer.server.requests()[1].body) == json{{"action", "retention.write"},
                                                              {"target", "class:deal"},
                                                              {"content", json::parse(text)}});
}

TEST_CASE("a preview and runs are shown, and a failed run says why") {
  Tool coffer(InTurn(
      {Reply(200, R"({"schedule":3,"at":"2026-01-01T00:00:00.000Z","records":20,"due":4,"held":3,
               "months":["2026-01","2026-02"],"counts":[{"class":"contact","policy":"contact-3y",
               "action":"erase","records":20,"kept":0,"not_begun":1,"unknown":0,"due":4,"held":3,
               "by_month":[5,6],"later":3}],"listed":[{"record":"rec_1","client":"cli_1",
               "class":"contact","policy":"contact-3y","action":"erase","held":true}]})")}));
  const Ran preview = coffer({"retention", "preview", "--months", "2", "--ids"});
  CAPTURE(preview.out, preview.err);
  CHECK(preview.exit == 0);
  CHECK(Shows(preview.out, "contact-3y"));
  CHECK(Shows(preview.out, "11"));
  CHECK(Shows(preview.out, "rec_1"));
  CHECK(Shows(preview.out, "HELD"));
  CHECK(Shows(preview.out, "held\n"));
  CHECK(Asked(coffer.server.requests()[0]) ==
        R"(POST /v1/retention/preview {"ids":true,"months":2})");

  Tool running(InTurn({Reply(201, kRun), Reply(200, kRun), Reply(204, "")}));
  CHECK(running({"retention", "run"}).exit == 0);
  const Ran shown = running({"retention", "runs", "run_1"});
  CHECK(Shows(shown.out, "operator_incomplete (US/Nowhere)"));
  for (const char* part : {"waiting", "12", "not reached", "not known", "calendar ended", "13"}) {
    CHECK(Shows(shown.out, part));
  }
  CHECK(running({"clock", "confirm"}).exit == 0);
  CHECK(Asked(running.server.requests()[0]) == "POST /v1/retention/runs ");
  CHECK(Asked(running.server.requests()[1]) == "GET /v1/retention/runs/run_1 ");
  CHECK(Asked(running.server.requests()[2]) == "POST /v1/retention/clock ");
}

}  // namespace coffer::cli
