#include "audit/documents/run_report.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "audit/documents/canonical_json.h"
#include "audit/documents/messages.h"
#include "audit/text/visible_text.h"
#include "tests/audit/documents/test_act.h"

namespace coffer::audit {
namespace {

using nlohmann::json;

RunReport FullReport() {
  RunReport report;
  report.run = "run_06bk4v0c5s3x9t7q2n8h1w6m4r";
  report.vault = kTestVault;
  report.schedule_version = 12;
  report.schedule_hash = crypto::Sha256(crypto::AsBytes("schedule"));
  report.started = {1'767'323'045'000};
  report.finished = {1'767'323'059'000};
  report.trigger = RunTrigger::kDemand;
  report.requested_by = "usr_06bk4v0c5s3x9t7q2n8h1w6m4u";
  report.clock = "trusted";
  report.outcome = RunOutcome::kFailed;
  report.reason = "schedule_changed";
  report.detail = "version 13";
  report.classes = {{"contact", 101, 70, 5, 3, 2, 1, 9, 11, 4},
                    {"invoice", 17, 0, 0, 0, 17, 0, 0, 0, 0}};
  report.log = kOrigin;
  report.first_seq = 4711;
  report.last_seq = 4920;
  return report;
}

RunReport OlderReport() {
  RunReport report = FullReport();
  report.version = 1;
  report.outcome = RunOutcome::kFinished;
  report.reason.clear();
  report.detail.clear();
  report.classes = {{"contact", 101, 90, 5, 3, 2, 1}, {"invoice", 17, 0, 0, 0, 17, 0}};
  return report;
}

std::string Golden(const std::string& name) {
  std::ifstream golden(std::string(COFFER_SOURCE_DIR) + "/tests/golden/" + name);
  return {std::istreambuf_iterator<char>(golden), {}};
}

std::string NoteOf(const RunReport& report) {
  auto note = WriteRunReport(report, kOrigin, LogKey());
  if (!note) FAIL(note.error().reason << " " << note.error().detail);
  return *std::move(note);
}

std::string DocumentOf(std::string_view report_json, std::string_view note) {
  CanonicalWriter out;
  return out.Open().Text("note", note).Json("report", report_json).Close().Take();
}

Strings ReportFindings(std::string_view document, const VerifierKey& key = LogVerifier()) {
  Strings checks;
  for (const auto& finding : VerifyRunReport(document, {&key, 1}).findings) {
    checks.push_back(finding.check);
  }
  return checks;
}

TEST_CASE("a run's report is verified, and says all it was written with") {
  const bool older = GENERATE(true, false);
  const RunReport report = older ? OlderReport() : FullReport();
  const std::string note = NoteOf(report);
  const auto document = AssembleRunReport(note);
  REQUIRE(document);
  const VerifierKey trusted[] = {LogVerifier()};
  const RunReportCheck check = VerifyRunReport(*document, trusted);
  CHECK(check.ok());
  CHECK(*check.report == report);
  CHECK(check.signed_by->key == LogKey().public_key());
  CHECK(*ParseRunReport(note) == report);
  CHECK(ReportFindings(*document + "\n").empty());
  CHECK(Golden(older ? "run-report-v1.json" : "run-report-v2.json") == *document + "\n");

  RunReport scheduled = report;
  scheduled.trigger = RunTrigger::kScheduled;
  scheduled.requested_by.clear();
  scheduled.classes.clear();
  CHECK(*ParseRunReport(NoteOf(scheduled)) == scheduled);
  scheduled.classes.push_back({std::string(kClientItself), 2, 1, 0, 0, 1, 0});
  CHECK(*ParseRunReport(NoteOf(scheduled)) == scheduled);
}

TEST_CASE("a run's report accounts for all that was due, and its end fits its counts") {
  const auto findings = [](const auto& change) {
    RunReport report = FullReport();
    change(report);
    return ReportFindings(*AssembleRunReport(NoteOf(report)));
  };
  const Strings contradicts = {"counts"};
  CHECK(findings([](RunReport&) {}).empty());
  for (const auto member :
       {&RunClass::due, &RunClass::erased, &RunClass::restricted, &RunClass::review,
        &RunClass::held, &RunClass::failed, &RunClass::waiting, &RunClass::unreached}) {
    CHECK(findings([&](RunReport& report) { ++(report.classes[0].*member); }) == contradicts);
  }
  CHECK(findings([](RunReport& report) { ++report.classes[0].unknown; }).empty());
  CHECK(findings([](RunReport& report) { report.reason.clear(); }) == contradicts);
  const auto finish = [](RunReport& report) {
    report.outcome = RunOutcome::kFinished;
    report.reason.clear();
    report.classes[0].due -= std::exchange(report.classes[0].unreached, 0);
  };
  CHECK(findings(finish).empty());
  CHECK(findings([&](RunReport& report) {
          finish(report);
          report.counted = false;
        }) == contradicts);
  CHECK(findings([&](RunReport& report) {
          finish(report);
          report.reason = "schedule_changed";
        }) == contradicts);
}

TEST_CASE("a run's report says that nothing was due only where it is so") {
  const auto says = [](const RunReport& report) {
    const bool said =
        RunReportPage(report, NoteOf(report), PageLanguage::kEnglish).contains("Nothing was due.");
    CHECK(said == report.nothing_was_due());
    return said;
  };
  RunReport report = OlderReport();
  report.classes.clear();
  CHECK_FALSE(says(report));
  report.version = 2;
  CHECK(says(report));
  report.classes.push_back({"contact", 0, 0, 0, 0, 0, 0, 0, 0, 1});
  CHECK_FALSE(says(report));
  report.classes[0] = {"contact", 1, 0, 0, 0, 0, 0, 1, 0, 0};
  CHECK_FALSE(says(report));
  report.classes.clear();
  report.outcome = RunOutcome::kFailed;
  report.reason = "operator_incomplete";
  CHECK_FALSE(says(report));
}

TEST_CASE("no value and no byte of a run's report can be changed") {
  const std::string note = NoteOf(FullReport());
  const std::string document = *AssembleRunReport(note);
  const json report = json::parse(document)["report"];
  std::size_t changes = 0;
  ForEachChange(report, [&](const std::string& path, const json& changed) {
    INFO(path);
    ++changes;
    CHECK_FALSE(ReportFindings(DocumentOf(changed.dump(), note)).empty());
  });
  CHECK(changes == 2 * report.flatten().size());
  for (std::size_t i = 0; i < document.size(); ++i) {
    std::string changed = document;
    changed[i] ^= 0x01;
    if (ReportFindings(changed).empty()) FAIL_CHECK("byte " << i);
    if (ReportFindings(document.substr(0, i)) != Strings{"document"})
      FAIL_CHECK("up to byte " << i);
  }
}

TEST_CASE("a run's report of another key, log or format is none") {
  const RunReport report = FullReport();
  const std::string json_text = json::parse(*AssembleRunReport(NoteOf(report)))["report"].dump();
  const Strings unsigned_one = {"signature"};
  CHECK(ReportFindings(*AssembleRunReport(NoteOf(report)),
                       {std::string(kOrigin), OtherKey().public_key()}) == unsigned_one);
  CHECK(ReportFindings(DocumentOf(json_text, Delivered().note)) == unsigned_one);
  CHECK_FALSE(AssembleRunReport(Delivered().note));
  CHECK_FALSE(ParseAct(NoteOf(report)));
  CHECK(VerifyRunReport(DocumentOf(json_text, NoteOf(report)), {}).findings.size() == 1);
}

TEST_CASE("what is no run's report is not signed") {
  const auto refused = [](const auto& change) {
    RunReport report = FullReport();
    change(report);
    const auto note = WriteRunReport(report, kOrigin, LogKey());
    return !note && note.error().reason == "run_report_invalid";
  };
  CHECK(refused([](RunReport& report) { report.run = "run"; }));
  CHECK(refused([](RunReport& report) { report.vault.clear(); }));
  CHECK(refused([](RunReport& report) { report.log = "elsewhere"; }));
  CHECK(refused([](RunReport& report) { report.clock = "\xFF"; }));
  CHECK(refused([](RunReport& report) { report.clock = std::string(kMaxRunText + 1, 'x'); }));
  CHECK(refused([](RunReport& report) { report.last_seq = report.first_seq - 1; }));
  CHECK(refused([](RunReport& report) { report.finished.ms = report.started.ms - 1; }));
  CHECK(refused([](RunReport& report) { report.classes[0].class_name = "<b>"; }));
  CHECK(refused([](RunReport& report) { report.classes[0].class_name = "(clients)"; }));
  CHECK(refused([](RunReport& report) { report.classes[0].failed = 1ULL << 53; }));
  CHECK(refused([](RunReport& report) { report.classes.resize(kMaxRunClasses + 1); }));
}

TEST_CASE("the page of a run's report shows every value in every language, and runs nothing") {
  RunReport report = FullReport();
  const std::string note = NoteOf(report);
  for (const PageLanguage language : kPageLanguages) {
    const std::string page = RunReportPage(report, note, language);
    const Messages& messages = MessagesIn(language);
    const std::string code_class =
        "<code>contact</code></td><td class=\"n\">101</td>"
        "<td class=\"n\">70</td><td class=\"n\">5</td>"
        "<td class=\"n\">3</td><td class=\"n\">2</td><td class=\"n\">9</td>"
        "<td class=\"n x\">11</td><td class=\"n x\">4</td>"
        "<td class=\"n x\">1</td></tr>";
    CHECK(page.contains(code_class));
    CHECK(page.contains(Html(Say(messages, "summary.total")) +
                        "</td><td class=\"n\">118</td><td class=\"n\">70</td>"));
    for (const char* key : {"run.waiting.why", "run.unreached.why", "run.unknown.why",
                            "run.outcome.failed", "run.reason.schedule_changed"}) {
      CHECK(page.contains(Html(Say(messages, key))));
    }
    const RunReport older = OlderReport();
    CHECK(RunReportPage(older, NoteOf(older), language).contains(Html(Say(messages, "run.older"))));
    for (const std::string& value :
         {report.run, report.vault, report.requested_by, report.log, std::string("4711–4920"),
          crypto::HexEncode(report.schedule_hash),
          std::string("<time datetime=\"2026-01-02T03:04:05.000Z\">"),
          std::string("<time datetime=\"2026-01-02T03:04:19.000Z\">"),
          Html(Say(messages, "run.trigger.demand")), Html(Say(messages, "run.clock.trusted")),
          std::string(LanguageTag(language))}) {
      INFO(value);
      CHECK(page.contains(value));
    }
  }
  report.clock = report.requested_by = "<script>\n\u202E";
  report.reason = report.detail = "<script>\u202E";
  report.counted = false;
  report.classes.clear();
  const std::string page = RunReportPage(report, NoteOf(report), PageLanguage::kEnglish);
  CHECK_FALSE(page.contains("<script"));
  CHECK_FALSE(page.contains("\u202E"));
  CHECK(page.contains(Html(Say(MessagesIn(PageLanguage::kEnglish), "run.uncounted"))));
}

}  // namespace
}  // namespace coffer::audit
