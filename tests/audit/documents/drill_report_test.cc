#include "audit/documents/drill_report.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "audit/documents/canonical_json.h"
#include "tests/audit/documents/test_act.h"

namespace coffer::audit {
namespace {

using nlohmann::json;

DrillReport PassedDrill() {
  DrillReport report;
  report.started = {1'767'323'045'000};
  report.finished = {1'767'323'059'000};
  report.vault = kTestVault;
  report.log = kOrigin;
  report.data_repository = "00112233445566778899aabbccddeeff";
  report.keys_repository = "ffeeddccbbaa99887766554433221100";
  report.generation = "bkp_06bk4v0c5s3x9t7q2n8h1w6m4r";
  report.keys_generation = "bkp_06bk4v0c5s3x9t7q2n8h1w6m4r";
  report.increments = 211;
  report.moment = Timestamp{1'767'323'041'000};
  report.log_size = 1208;
  report.root = crypto::Sha256(crypto::AsBytes("root"));
  report.erasures_repeated = 2;
  report.acts_repeated = 3;
  report.acts_not_repeated = 1;
  report.clients = 97;
  report.records = 311;
  report.versions = 40;
  report.comparison = DrillComparison::kContinues;
  report.compared_size = 1210;
  report.restore_ms = 1840;
  report.open_ms = 211;
  report.verify_ms = 90;
  report.outcome = DrillOutcome::kPassed;
  return report;
}

// As of a restore that could not even begin.
DrillReport FailedDrill() {
  DrillReport report;
  report.started = report.finished = {1'767'323'045'000};
  report.vault = kTestVault;
  report.log = kOrigin;
  report.findings = {"object_wrong: /mnt/backup/coffer/objects/ab/cdef", "“half a page”"};
  return report;
}

std::string DrillNoteOf(const DrillReport& report) {
  auto note = WriteDrillReport(report, kOrigin, LogKey());
  if (!note) FAIL(note.error().reason << " " << note.error().detail);
  return *std::move(note);
}

std::string DrillDocumentOf(std::string_view report_json, std::string_view note) {
  CanonicalWriter out;
  return out.Open().Text("note", note).Json("report", report_json).Close().Take();
}

Strings DrillFindings(std::string_view document, const VerifierKey& key = LogVerifier()) {
  Strings checks;
  for (const auto& finding : VerifyDrillReport(document, {&key, 1}).findings) {
    checks.push_back(finding.check);
  }
  return checks;
}

TEST_CASE("a drill's report is verified, and says all it was written with") {
  const VerifierKey trusted[] = {LogVerifier()};
  for (const DrillReport& report : {PassedDrill(), FailedDrill()}) {
    const std::string note = DrillNoteOf(report);
    const auto document = AssembleDrillReport(note);
    REQUIRE(document);
    const auto check = VerifyDrillReport(*document, trusted);
    CHECK(check.ok());
    CHECK(*check.report == report);
    CHECK(check.signed_by->key == LogKey().public_key());
    CHECK(*ParseDrillReport(note) == report);
    CHECK(*VerifyDrillNote(note, trusted) == report);
    CHECK(DrillFindings(*document + "\n").empty());
  }
  std::ifstream golden(std::string(COFFER_SOURCE_DIR) + "/tests/golden/drill-report-v1.json");
  const std::string before{std::istreambuf_iterator<char>(golden), {}};
  CHECK(before == *AssembleDrillReport(DrillNoteOf(PassedDrill())) + "\n");
}

TEST_CASE("no value and no byte of a drill's report can be changed") {
  DrillReport failed = PassedDrill();
  failed.outcome = DrillOutcome::kFailed;
  failed.findings = {"a record is not what the log last recorded"};
  const std::string note = DrillNoteOf(failed);
  const std::string document = *AssembleDrillReport(note);
  const json report = json::parse(document)["report"];
  ForEachChange(report, [&](const std::string& path, const json& changed) {
    INFO(path);
    CHECK_FALSE(DrillFindings(DrillDocumentOf(changed.dump(), note)).empty());
  });
  for (std::size_t i = 0; i < document.size(); ++i) {
    std::string changed = document;
    changed[i] ^= 0x01;
    if (DrillFindings(changed).empty()) FAIL_CHECK("byte " << i);
    if (DrillFindings(document.substr(0, i)) != Strings{"document"}) {
      FAIL_CHECK("up to byte " << i);
    }
  }
}

TEST_CASE("a drill's report of another key, log or format is none") {
  const DrillReport report = PassedDrill();
  const std::string note = DrillNoteOf(report);
  const std::string text = json::parse(*AssembleDrillReport(note))["report"].dump();
  CHECK(DrillFindings(*AssembleDrillReport(note),
                      {std::string(kOrigin), OtherKey().public_key()}) == Strings{"signature"});
  CHECK(DrillFindings(DrillDocumentOf(text, Delivered().note)) == Strings{"signature"});
  CHECK_FALSE(AssembleDrillReport(Delivered().note));
  CHECK_FALSE(VerifyDrillNote(note, {}));
  const auto elsewhere = WriteDrillReport(report, "elsewhere", LogKey());
  CHECK((!elsewhere && elsewhere.error().reason == "drill_report_invalid"));
}

TEST_CASE("what cannot be true together is not signed as a drill's report") {
  const auto refused = [](const auto& change) {
    DrillReport report = PassedDrill();
    change(report);
    const auto note = WriteDrillReport(report, kOrigin, LogKey());
    return !note && note.error().reason == "drill_report_invalid";
  };
  CHECK(!refused([](DrillReport&) {}));
  CHECK(refused([](DrillReport& report) { report.findings = {"something"}; }));
  CHECK(refused([](DrillReport& report) { report.outcome = DrillOutcome::kFailed; }));
  CHECK(refused([](DrillReport& report) { report.comparison = DrillComparison::kDiffers; }));
  CHECK(refused([](DrillReport& report) { report.moment.reset(); }));
  CHECK(refused([](DrillReport& report) { report.generation.clear(); }));
  CHECK(refused([](DrillReport& report) { report.keys_generation = "newest"; }));
  CHECK(refused([](DrillReport& report) { report.log_size = 0; }));
  CHECK(refused([](DrillReport& report) { report.vault = "here"; }));
  CHECK(refused([](DrillReport& report) { report.finished.ms = report.started.ms - 1; }));
  const auto too_much = [](DrillReport& report) {
    report.outcome = DrillOutcome::kFailed;
    report.findings.assign(kMaxDrillFindings + 1, "x");
  };
  CHECK(refused(too_much));
  CHECK(refused([](DrillReport& report) {
    report.outcome = DrillOutcome::kFailed;
    report.findings = {std::string(kMaxDrillText + 1, 'x')};
  }));
}

TEST_CASE("any text fits into a drill's report, and the longest report is signed") {
  CHECK(DrillText("as it is") == "as it is");
  CHECK(DrillText("half \xE2\x82") == "half ?");
  const std::string cut = DrillText(std::string(kMaxDrillText - 1, 'x') + "€");
  CHECK(cut == std::string(kMaxDrillText - 1, 'x'));
  DrillReport report = FailedDrill();
  // The longest that canonical JSON makes of a byte.
  report.findings.assign(kMaxDrillFindings, std::string(kMaxDrillText, '\x01'));
  report.data_repository = report.keys_repository = std::string(kMaxDrillText, '\x01');
  CHECK(DrillFindings(*AssembleDrillReport(DrillNoteOf(report))).empty());
}

}  // namespace
}  // namespace coffer::audit
