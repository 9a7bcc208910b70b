// coffer recipient, coffer disclosure, coffer client overview: what is asked for, what is told.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kRecipientReply =
    R"({"id":"rcp_1","state":"current","name":"Example","category":"processor","contact":"a@b",)"
    R"("version":1,"principals":[],"history":[]})";

bool Told(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a recipient's change says all that stays as it was") {
  Tool coffer(InTurn({Reply(200, kRecipientReply), Reply(200, kRecipientReply)}));
  const Ran ran = coffer({"recipient", "change", "rcp_1", "--country", "DE"});
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  REQUIRE(coffer.server.requests().size() == 2);
  CHECK(json::parse(coffer.server.requests()[1].body) ==
        json::parse(R"({"name":"Example","category":"processor","contact":"a@b","country":"DE"})"));
}

TEST_CASE("more clients than one request takes are added to the disclosure") {
  Tool coffer(InTurn({Reply(201, R"({"id":"dsc_1","clients":1000})"),
                      Reply(200, R"({"id":"dsc_1","clients":1001})")}));
  std::vector<std::string> words = {"disclosure", "record",    "rcp_1",  "--basis",
                                    "a law",      "--channel", "letter", "--class",
                                    "contact",    "--reason",  "asked"};
  for (int i = 0; i <= 1000; ++i) words.push_back("cli_" + std::to_string(i));
  const Ran ran = coffer(words);
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  REQUIRE(coffer.server.requests().size() == 2);
  CHECK(json::parse(coffer.server.requests()[0].body).at("clients").size() == 1000);
  CHECK(Asked(coffer.server.requests()[1]) ==
        R"(POST /v1/disclosures/dsc_1/clients {"classes":["contact"],"clients":["cli_1000"]})");
}

TEST_CASE("what is not known of whom to tell is said") {
  const auto told = [](const std::string& reply, const std::vector<std::string>& words) {
    Tool coffer(InTurn({Reply(200, reply), Reply(200, reply)}));
    const Ran ran = coffer(words);
    CAPTURE(ran.err);
    CHECK(ran.exit == 0);
    return ran.out;
  };
  const std::vector<std::string> all = {"disclosure", "to-tell"};
  const std::vector<std::string> one = {"disclosure", "to-tell", "--client", "cli_1"};
  CHECK(Told(told(R"({"to_settle":0,"items":[]})", all), "No recipient is to be told"));
  CHECK(Told(told(R"({"to_settle":3,"items":[]})", all), "NOT ALL LOOKED AT: 3"));
  CHECK(Told(told(R"({"reads_known":false,"to_settle":0,"more":false,"items":[]})", one),
             "READS NOT KNOWN"));
  CHECK(Told(told(R"({"reads_known":true,"to_settle":0,"more":true,"items":[{"recipient":"rcp_1",)"
                  R"("name":"E","disclosures":1,"reads":0,"acts":[{"act":"erased","entry":7}]}]})",
                  one),
             "TO BE TOLD"));
}

TEST_CASE(
    "what is left to settle is what the last look left, and the list says until where it goes") {
  const std::string first =
      R"({"open":2,"recipients":1,"to_settle":5,"next_cursor":"c","items":[{"recipient":"rcp_1",)"
      R"("client":"cli_1","act":"erased","entry":9}]})";
  const std::string second =
      R"({"open":2,"recipients":1,"to_settle":4,"items":[{"recipient":"rcp_1","client":"cli_2",)"
      R"("act":"restricted","entry":7}]})";
  const std::string counts = R"({"open":2,"recipients":1,"to_settle":3,"items":[]})";
  for (const bool as_json : {false, true}) {
    Tool coffer(InTurn({Reply(200, first), Reply(200, second), Reply(200, counts)}));
    std::vector<std::string> words = {"disclosure", "to-tell"};
    if (as_json) words.emplace_back("--json");
    const Ran ran = coffer(words);
    CAPTURE(ran.err, ran.out);
    CHECK(ran.exit == 0);
    if (!as_json) {
      CHECK(Told(ran.out, "--until 9"));
      CHECK(Told(ran.out, "NOT ALL LOOKED AT: 3"));
      continue;
    }
    const json shown = json::parse(ran.out);
    CHECK(shown.at("open") == 2);
    CHECK(shown.at("recipients") == 1);
    CHECK(shown.at("to_settle") == 3);
    CHECK(shown.at("items").size() == 2);
  }
}

TEST_CASE("that a recipient was told is recorded of one client, or by an entry of the log") {
  Tool coffer(InTurn({Reply(200, R"({"told":1,"left":0})")}));
  CHECK(coffer({"disclosure", "told", "rcp_1", "--channel", "email"}).exit == 2);
  CHECK(coffer.server.requests().empty());
  CHECK(coffer({"disclosure", "told", "rcp_1", "--until", "9", "--channel", "email"}).exit == 0);
  CHECK(Asked(coffer.server.requests()[0]) ==
        R"(POST /v1/recipients/rcp_1/told {"channel":"email","until":9})");
}

TEST_CASE("reads that were not all counted are shown so") {
  Tool coffer(InTurn({Reply(200, R"({"reads_known":true,"to_settle":0,"more":false,"items":[)"
                                 R"({"recipient":"rcp_1","name":"E","disclosures":0,"reads":1000,)"
                                 R"("more_reads":true,"acts":[]}]})")}));
  CHECK(Told(coffer({"disclosure", "to-tell", "--client", "cli_1"}).out, "1000 and more"));
}

TEST_CASE("an objection to a legal basis is shown as one") {
  Tool coffer(InTurn({Reply(200, R"({"items":[{"client":"cli_1","restriction":"rst_1",)"
                                 R"("since":"2026-01-02T03:04:05.000Z","all_but":false,)"
                                 R"("purposes":[],"legal_bases":["legitimate-interests"]}]})")}));
  CHECK(Told(coffer({"notice", "objections", "ntc_1"}).out, "all based on legitimate-interests"));
}

TEST_CASE("parts of an overview that are withheld are named") {
  Tool coffer(InTurn({Reply(
      200, R"({"client":"cli_1","state":"active","classes":[{"class":"contact","records":2}],)"
           R"("old_versions":0,"consents":{"withheld":true},"holds":{"withheld":false,)"
           R"("more":true,"all":"/v1/holds","items":[{"id":"hold_1","what":"all","entry":3}]},)"
           R"("accesses":{"withheld":false,"known":false}})")}));
  const Ran ran = coffer({"client", "overview", "cli_1"});
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  CHECK(Told(ran.out, "consents: withheld"));
  CHECK(Told(ran.out, "all, hold_1, entry 3"));
  CHECK(Told(ran.out, "and more: /v1/holds"));
  CHECK(Told(ran.out, "2 contact"));
  CHECK(Told(ran.out, "NOT KNOWN"));
}

}  // namespace coffer::cli
