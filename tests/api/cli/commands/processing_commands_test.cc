// coffer processing and coffer notice: what is shown in each form and language, what hostile words
// do in it, and exit codes.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "api/cli/text/mustache.h"
#include "api/cli/text/processing_view.h"
#include "audit/documents/messages.h"
#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// What somebody who was let write a document might try on its readers.
const std::string kHostileWords[] = {
    "<script>alert(1)</script>", "=HYPERLINK(\"http://x.example\")", "a\r\nSet-Cookie: b",
    "ab\u202e\u2066cd",          "{{{title}}} {{#sections}}",        "\x1b[31mred",
    "'\"><img src=x onerror=y>"};

json RegisterAnswer(const std::string& word, bool complete = false) {
  const json party = {{"name", word}, {"address", word}, {"contact", word}};
  const json whole = {
      {"controller", party},
      {"joint_controllers", {party}},
      {"data_subjects", {{{"name", word}, {"description", word}}}},
      {"recipients", {{{"name", word}, {"description", word}, {"country", "DE"}}}},
      {"transfers", {{{"name", word}, {"country", "US"}, {"safeguards", word}}}},
      {"measures", {word}},
      {"database_location", word},
      {"none", {{"representative", word}}},
      {"purposes",
       {{{"name", "client-care"},
         {"title", word},
         {"legal_basis", "contract"},
         {"owner", word},
         {"description", word},
         {"requires_consent", true},
         {"classes", {"contact"}}}}},
      {"classes",
       {{{"name", "contact"},
         {"title", word},
         {"purposes", {"client-care"}},
         {"fields",
          {{{"name", "email"}, {"title", word}, {"sensitivity", "special"}, {"index", true}}}},
         {"retention",
          {{{"name", "p"},
            {"trigger", "creation"},
            {"period", "P3Y"},
            {"action", "erase"},
            {"basis", word}}}}}}},
      {"roles",
       {{{"name", "case-worker"},
         {"title", word},
         {"clients", "some"},
         {"classes", {{{"name", "contact"}, {"plain", {"email"}}, {"masked", json::array()}}}}}}},
      {"consent_texts", {{{"name", "news"}, {"version", 2}, {"languages", {"en", "de"}}}}},
      {"safeguards", {{{"name", "log"}, {"in_force", true}, {"details", {word}}}}}};
  json missing = json::array();
  if (!complete) {
    missing.push_back({{"fact", "begun"},
                       {"subject", word},
                       {"article", "152-FZ 22(3)(8)"},
                       {"route", "PUT /v1/processing/document"},
                       {"pointer", "/begun"}});
  }
  return {{"at", "2026-01-02T03:04:05.000Z"},
          {"order", "gdpr"},
          {"complete", complete},
          {"missing", missing},
          {"document", 3},
          {"published", 1},
          {"register", whole}};
}

bool ProcessingSays(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a register shows every word in every form, order and language, and none does harm") {
  for (const std::string& word : kHostileWords) {
    const json answer = RegisterAnswer(word);
    for (const std::string_view order : kProcessingOrders) {
      for (const audit::PageLanguage language : audit::kPageLanguages) {
        INFO(word << " " << order << " " << audit::Name(language));
        const RegisterView view = ViewOfProcessing(answer, order, language);
        CHECK(view.sections.size() == 12);
        CHECK_FALSE(view.complete);
        const auto page = ProcessingPage(view, language);
        REQUIRE(page);
        CHECK(ProcessingSays(*page, HtmlText(word)));
        CHECK_FALSE(ProcessingSays(*page, "<script"));
        CHECK_FALSE(ProcessingSays(*page, "<img"));
        CHECK_FALSE(ProcessingSays(*page, "\u202e"));
        CHECK_FALSE(ProcessingSays(*page, "\x1b"));
        CHECK_FALSE(ProcessingSays(*page, "\r"));
        CHECK(ProcessingSays(*page, "default-src 'none'"));
        CHECK(std::ranges::count(*page, '\n') < 300);
        const std::string csv = ProcessingCsv(view);
        CHECK_FALSE(ProcessingSays(csv, ",\"="));
        CHECK(csv.starts_with("\"section\",\"row\",\"column\",\"value\"\n"));
      }
    }
  }
}

TEST_CASE("the same facts stand in each order, and each section and fact has words") {
  const json answer = RegisterAnswer("Example");
  std::set<std::string> first;
  for (const std::string_view order : kProcessingOrders) {
    std::set<std::string> cells;
    const RegisterView view = ViewOfProcessing(answer, order, audit::PageLanguage::kEnglish);
    for (const RegisterSection& section : view.sections) {
      CHECK_FALSE(section.heading.empty());
      CHECK_FALSE(section.rows.empty());
      for (const auto& row : section.rows) {
        CHECK(row.size() == section.columns.size());
        cells.insert(row.begin(), row.end());
      }
    }
    if (first.empty()) first = cells;
    CHECK(cells == first);
  }
  // No code of the program stands where its words should.
  for (const audit::PageLanguage language : audit::kPageLanguages) {
    const RegisterView view = ViewOfProcessing(answer, "gdpr", language);
    std::set<std::string> cells;
    for (const RegisterSection& section : view.sections) {
      for (const auto& row : section.rows) cells.insert(row.begin(), row.end());
    }
    INFO(audit::Name(language));
    for (const char* const code : {"begun", "log", "creation", "erase"}) {
      CHECK_FALSE(cells.contains(code));
    }
  }
}

TEST_CASE("what is no register is shown as nothing, and not as complete") {
  for (const json& answer : {json::object(), json{{"register", 7}, {"missing", 7}},
                             json{{"register", {{"purposes", "x"}, {"classes", {7}}}}}}) {
    const RegisterView view = ViewOfProcessing(answer, "gdpr", audit::PageLanguage::kEnglish);
    CHECK_FALSE(view.complete);
    CHECK(ProcessingPage(view, audit::PageLanguage::kEnglish));
  }
}

TEST_CASE("a register that is not complete ends with code 10, one that is with 0") {
  for (const bool complete : {false, true}) {
    const int exit = complete ? 0 : 10;
    for (const std::string format : {"text", "html", "csv", "json"}) {
      Tool coffer(InTurn({Reply(200, RegisterAnswer("Example", complete).dump())}));
      const Ran ran = coffer({"processing", "show", "--format", format, "--order", "pipl"});
      INFO(format << ran.err);
      CHECK(ran.exit == exit);
      CHECK(ProcessingSays(ran.out, "Example"));
      CHECK(coffer.server.requests()[0].target == "/v1/processing?order=pipl");
    }
    Tool coffer(InTurn({Reply(200, RegisterAnswer("Example", complete).dump())}));
    const Ran ran = coffer({"processing", "missing"});
    CHECK(ran.exit == exit);
    CHECK(ProcessingSays(ran.out, complete ? "Nothing is missing" : "/begun"));
  }
}

TEST_CASE("what was published is shown by its own order") {
  json answer = {{"version", 2},
                 {"order", "ru-152fz"},
                 {"missing", 1},
                 {"published", "2026-01-02T03:04:05.000Z"},
                 {"entry", 7},
                 {"sha256", std::string(64, 'a')},
                 {"publication", RegisterAnswer("Example")}};
  answer["publication"]["reason"] = "It is being written.";
  Tool coffer(InTurn({Reply(200, answer.dump())}));
  const Ran ran = coffer({"processing", "show", "--version", "2"});
  CHECK(ran.exit == 10);
  CHECK(coffer.server.requests()[0].target == "/v1/processing/versions/2");
  CHECK(ProcessingSays(ran.out, "152-FZ Art. 22"));
  CHECK(ProcessingSays(ran.out, "It is being written."));
}

TEST_CASE("publishing says what is missing, and sets a version that was seen") {
  Tool coffer(InTurn({Reply(201, json{{"version", 1}, {"missing", 2}, {"order", "gdpr"}}.dump())}));
  const Ran ran = coffer({"processing", "publish", "--incomplete", "not yet"});
  CHECK(ran.exit == 10);
  CHECK(json::parse(coffer.server.requests()[0].body) ==
        json{{"order", "gdpr"}, {"incomplete", true}, {"reason", "not yet"}});
}

TEST_CASE("all whom a notice concerns are told page by page, and a list in batches") {
  Tool all(InTurn({Reply(200, json{{"told", 2000}, {"already", 0}, {"next_cursor", "c1"}}.dump()),
                   Reply(200, json{{"told", 5}, {"already", 1}}.dump())}));
  const Ran told = all(
      {"notice", "told", "ntc_1", "--channel", "email", "--evidence", "c 12", "--all", "--json"});
  CHECK(told.exit == 0);
  CHECK(json::parse(told.out) == json{{"told", 2005}, {"already", 1}, {"requests", 2}});
  REQUIRE(all.server.requests().size() == 2);
  CHECK(json::parse(all.server.requests()[1].body).at("cursor") == "c1");

  Tool none(InTurn({}));
  CHECK(none({"notice", "told", "ntc_1", "--channel", "email", "--evidence", "x"}).exit == 2);
  CHECK(none({"notice", "told", "ntc_1", "--channel", "email", "--evidence", "x", "--all",
              "--client", "cli_1"})
            .exit == 2);
  CHECK(none({"notice", "create", "--title", "t", "--effective", "2030-01-01", "--all"}).exit == 2);
  CHECK(none.server.requests().empty());
}

TEST_CASE("who is pending is told by the exit code too") {
  Tool some(InTurn({Reply(200, json{{"items", {{{"client", "cli_1"}}}}}.dump())}));
  const Ran pending = some({"notice", "pending", "ntc_1"});
  CHECK(pending.exit == 10);
  CHECK(pending.out == "cli_1\n");
  Tool nobody(InTurn({Reply(200, json{{"items", json::array()}}.dump())}));
  const Ran done = nobody({"notice", "pending", "ntc_1"});
  CHECK(done.exit == 0);
  CHECK(ProcessingSays(done.out, "Nobody is pending"));
}

}  // namespace coffer::cli
