// Consents and their texts, as they are typed and shown.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"
#include "tests/support/temporary_directory.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kConsent =
    R"({"id":"con_1","client":"cli_1","purpose":"marketing","state":"withdrawn",
        "text":{"name":"newsletter","version":3,"language":"en","sha256":"ab12"},
        "given":"2026-01-01T00:00:00.000Z","given_by":"representative","authority":"her mother",
        "channel":"paper","evidence":"folder 12","recorded":"2026-01-02T00:00:00.000Z",
        "recorded_by":"usr_1","entry":4711,"statement":"{}",
        "withdrawal":{"withdrawn":"2026-02-01T00:00:00.000Z","channel":"email",
                      "recorded_by":"usr_1","entry":4800,"statement":"{}"}})";

bool ShowsConsent(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a consent is given, shown, listed and withdrawn as it was typed") {
  Tool coffer(InTurn({Reply(201, kConsent), Reply(201, kConsent), Reply(200, kConsent),
                      Reply(200, std::string(R"({"items":[)") + kConsent + "]}"),
                      Reply(200, kConsent), Reply(200, kConsent)}));
  std::vector<std::string> give = {"consent",    "give",      "cli_1",      "marketing",  "--text",
                                   "newsletter", "--version", "3",          "--language", "en",
                                   "--channel",  "paper",     "--evidence", "folder 12"};
  CHECK(coffer(give).exit == 0);
  for (const char* more : {"--under-age", "--authority", "her mother", "--given", "2026-01-01",
                           "--expires", "2030-01-01"}) {
    give.emplace_back(more);
  }
  CHECK(coffer(give).exit == 0);
  const std::string shown = coffer({"consent", "show", "cli_1", "con_1"}).out;
  for (const char* part : {"newsletter v3 en", "ab12", "her mother", "folder 12", "4711", "4800",
                           "withdrawn 2026-02-01T00:00:00.000Z"}) {
    INFO(part);
    CHECK(ShowsConsent(shown, part));
  }
  CHECK(ShowsConsent(coffer({"consent", "list", "cli_1"}).out, "con_1"));
  CHECK(coffer({"consent", "withdraw", "cli_1", "con_1"}).exit == 0);
  CHECK(coffer({"consent", "withdraw", "cli_1", "con_1", "--channel", "email"}).exit == 0);
  // What is missing, or is no time, asks nobody.
  CHECK(coffer({"consent", "give", "cli_1", "marketing", "--text", "newsletter"}).exit == 2);
  CHECK(coffer({"consent", "withdraw", "cli_1"}).exit == 2);
  give.back() = "some day";
  CHECK(coffer(give).exit == 2);
  give.back() = "2030-01-01";
  give.emplace_back("--of-age");
  CHECK(coffer(give).exit == 2);
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 6);
  CHECK(requests[0].target == "/v1/clients/cli_1/consents");
  CHECK(json::parse(requests[0].body) ==
        json::parse(R"({"purpose":"marketing","channel":"paper","evidence":"folder 12",
                        "text":{"name":"newsletter","version":3,"language":"en"}})"));
  const json whole = json::parse(requests[1].body);
  CHECK(whole.at("of_age") == false);
  CHECK(whole.at("authority") == "her mother");
  CHECK(whole.at("given") == "2026-01-01T00:00:00.000Z");
  CHECK(whole.at("expires") == "2030-01-01T00:00:00.000Z");
  CHECK(Asked(requests[2]) == "GET /v1/clients/cli_1/consents/con_1 ");
  CHECK(Asked(requests[4]) == "POST /v1/clients/cli_1/consents/con_1/withdrawal {}");
  CHECK(Asked(requests[5]) ==
        R"(POST /v1/clients/cli_1/consents/con_1/withdrawal {"channel":"email"})");
}

TEST_CASE("a text is stored to the byte, in its languages") {
  const testing::TemporaryDirectory work;
  std::ofstream(work / "en.txt") << "I agree.\n";
  std::ofstream(work / "de.txt") << "Ich stimme zu.";
  const std::string text =
      R"({"name":"newsletter","version":2,"minimum_age":16,"shown_since":"2020-01-01T00:00:00.000Z",
          "texts":[{"language":"de","text":"Ich stimme zu.","sha256":"cd"},
                   {"language":"en","text":"I agree.\n","sha256":"ab"}],"put_by":"usr_1"})";
  Tool coffer(
      InTurn({Reply(200, text), Reply(200, text), Reply(200, R"({"items":[)" + text + "]}")}));
  const auto put = [&](const std::string& wording) {
    return coffer({"consent", "text", "put", "newsletter", "de=" + (work / "de.txt"), wording,
                   "--minimum-age", "16", "--shown-since", "2020-01-01"});
  };
  CHECK(ShowsConsent(put("en=" + (work / "en.txt")).out, "newsletter, version 2"));
  const std::string shown =
      coffer({"consent", "text", "show", "newsletter", "--version", "2", "--language", "en"}).out;
  CHECK(ShowsConsent(shown, "I agree."));
  CHECK(!ShowsConsent(shown, "Ich stimme zu."));
  CHECK(ShowsConsent(coffer({"consent", "text", "list"}).out, "de en"));
  CHECK(put(work / "en.txt").exit == 2);
  CHECK(put("en=" + (work / "none.txt")).exit == 2);
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].target == "/v1/consent-texts/newsletter");
  CHECK(json::parse(requests[0].body) ==
        json::parse(R"({"texts":[{"language":"de","text":"Ich stimme zu."},
                                 {"language":"en","text":"I agree.\n"}],
                        "minimum_age":16,"shown_since":"2020-01-01T00:00:00.000Z"})"));
  CHECK(requests[1].target == "/v1/consent-texts/newsletter?version=2");
}

}  // namespace coffer::cli
