#include "audit/documents/drill_report.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "audit/documents/canonical_json.h"
#include "audit/documents/ids.h"
#include "audit/documents/signed_document.h"
#include "audit/entries/entry_limits.h"
#include "audit/text/utf8.h"
#include "audit/text/visible_text.h"
#include "audit/tlog/note.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kDrillFormat = "coffer-drill-report-v1";
constexpr std::string_view kGenerationPrefix = "bkp_";

std::string FormatDrillJson(const DrillReport& report) {
  CanonicalWriter out;
  out.Open().Number("acts_not_repeated", report.acts_not_repeated);
  out.Number("acts_repeated", report.acts_repeated).Number("clients", report.clients);
  out.Number("compared_size", report.compared_size);
  out.Text("comparison", Name(report.comparison));
  out.OptionalText("data_repository", report.data_repository);
  out.Number("erasures_repeated", report.erasures_repeated);
  out.List("findings", report.findings, [&](const std::string& text) { out.String(text); });
  out.Time("finished", report.finished).Text("format", kDrillFormat);
  out.OptionalText("generation", report.generation).Number("increments", report.increments);
  out.OptionalText("keys_generation", report.keys_generation);
  out.OptionalText("keys_repository", report.keys_repository).Text("log", report.log);
  out.Number("log_size", report.log_size).OptionalTime("moment", report.moment);
  out.Number("open_ms", report.open_ms).Text("outcome", Name(report.outcome));
  out.Number("records", report.records).Number("restore_ms", report.restore_ms);
  out.Hex("root", report.root);
  out.Time("started", report.started).Text("vault", report.vault);
  out.Number("verify_ms", report.verify_ms).Number("versions", report.versions).Close();
  return out.Take();
}

bool ReadDrillJson(CanonicalReader& in, DrillReport& report) {
  const auto read_finding = [&] { return in.String(report.findings.emplace_back()); };
  return in.Open() && in.Number("acts_not_repeated", report.acts_not_repeated) &&
         in.Number("acts_repeated", report.acts_repeated) && in.Number("clients", report.clients) &&
         in.Number("compared_size", report.compared_size) &&
         in.OneOf("comparison", kDrillComparisons, report.comparison) &&
         in.OptionalText("data_repository", report.data_repository) &&
         in.Number("erasures_repeated", report.erasures_repeated) &&
         in.List("findings", kMaxDrillFindings, read_finding) &&
         in.Time("finished", report.finished) && in.Constant("format", kDrillFormat) &&
         in.OptionalText("generation", report.generation) &&
         in.Number("increments", report.increments) &&
         in.OptionalText("keys_generation", report.keys_generation) &&
         in.OptionalText("keys_repository", report.keys_repository) && in.Text("log", report.log) &&
         in.Number("log_size", report.log_size) && in.OptionalTime("moment", report.moment) &&
         in.Number("open_ms", report.open_ms) &&
         in.OneOf("outcome", kDrillOutcomes, report.outcome) &&
         in.Number("records", report.records) && in.Number("restore_ms", report.restore_ms) &&
         in.Hex("root", report.root) && in.Time("started", report.started) &&
         in.Text("vault", report.vault) && in.Number("verify_ms", report.verify_ms) &&
         in.Number("versions", report.versions) && in.Close();
}

bool IsTimeOfCalendar(Timestamp time) {
  const auto again = ParseTimestamp(FormatTimestamp(time));
  return again && *again == time;
}

// What does not fit, or cannot be true together.
std::string DrillProblem(const DrillReport& report) {
  if (!IsId(report.vault, kNoPrefix)) return "the vault's id is none";
  for (const std::string* id : {&report.generation, &report.keys_generation}) {
    if (!id->empty() && !IsId(*id, kGenerationPrefix)) return "a generation's id is none";
  }
  if (report.started > report.finished || !IsTimeOfCalendar(report.started) ||
      !IsTimeOfCalendar(report.finished) || (report.moment && !IsTimeOfCalendar(*report.moment))) {
    return "the times";
  }
  if (std::max({report.increments, report.log_size, report.erasures_repeated, report.acts_repeated,
                report.acts_not_repeated, report.clients, report.records, report.versions,
                report.compared_size, report.restore_ms, report.open_ms, report.verify_ms}) >
      kMaxNumber) {
    return "a number is too large";
  }
  if (report.findings.size() > kMaxDrillFindings) return "too many findings";
  const auto fits = [](const std::string& text) {
    return text.size() <= kMaxDrillText && IsUtf8(text);
  };
  if (!std::ranges::all_of(report.findings, fits) || !fits(report.log) ||
      !fits(report.data_repository) || !fits(report.keys_repository)) {
    return "a text is too long or not UTF-8";
  }
  const bool passed = report.outcome == DrillOutcome::kPassed;
  if (passed != report.findings.empty()) return "the outcome is not that of the findings";
  const bool whole = !report.generation.empty() && !report.keys_generation.empty() &&
                     report.moment && report.log_size > 0 && report.root != Hash{} &&
                     report.comparison != DrillComparison::kDiffers;
  if (passed && !whole) return "a drill that passed says of what";
  return "";
}

std::optional<DrillReport> ParseDrillJson(std::string_view json) {
  DrillReport report;
  CanonicalReader in(json);
  if (!ReadDrillJson(in, report) || !in.AtEnd() || !DrillProblem(report).empty() ||
      FormatDrillJson(report) != json) {
    return std::nullopt;
  }
  return report;
}

struct DrillDocument {
  DrillReport report;
  std::string note;
};

std::string FormatDrillDocument(const DrillReport& report, std::string_view note) {
  CanonicalWriter out;
  out.Open().Text("note", note).Json("report", FormatDrillJson(report)).Close();
  return out.Take();
}

std::optional<DrillDocument> ParseDrillDocument(std::string_view text) {
  // Files end with a line feed that the document does not have.
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() > kMaxDrillReportDocumentBytes) return std::nullopt;
  DrillDocument document;
  CanonicalReader in(text);
  if (!in.Open() || !in.Text("note", document.note) || !in.Member("report") ||
      !ReadDrillJson(in, document.report) || !in.Close() || !in.AtEnd() ||
      !DrillProblem(document.report).empty() ||
      FormatDrillDocument(document.report, document.note) != text) {
    return std::nullopt;
  }
  return document;
}

}  // namespace

std::string_view Name(DrillOutcome outcome) {
  return outcome == DrillOutcome::kPassed ? "passed" : "failed";
}

std::string_view Name(DrillComparison comparison) {
  switch (comparison) {
    case DrillComparison::kNone:
      return "none";
    case DrillComparison::kContains:
      return "contains";
    case DrillComparison::kContinues:
      return "continues";
    case DrillComparison::kUnproven:
      return "unproven";
    case DrillComparison::kDiffers:
      return "differs";
  }
  std::abort();
}

std::string DrillText(std::string_view text) {
  std::string whole;
  while (!text.empty()) {
    const Utf8Sequence next = NextUtf8(text);
    const std::string_view piece = next.valid ? text.substr(0, next.length) : "?";
    if (whole.size() + piece.size() > kMaxDrillText) break;
    whole += piece;
    text.remove_prefix(next.length);
  }
  return whole;
}

Result<std::string> WriteDrillReport(const DrillReport& report, std::string_view name,
                                     const crypto::SigningKey& key) {
  std::string problem = DrillProblem(report);
  if (problem.empty() && report.log != name) problem = "the report is of another log than its key";
  if (!problem.empty()) {
    return Fail(Code::kInvalidArgument, "drill_report_invalid", std::move(problem));
  }
  return SignDocument(kDrillFormat, FormatDrillJson(report), name, key);
}

Result<DrillReport> ParseDrillReport(std::string_view note) {
  const auto json = DocumentIn(note, kDrillFormat);
  if (!json) return Corrupted("drill_report_malformed", json.error().detail);
  auto report = ParseDrillJson(*json);
  if (!report) return Corrupted("drill_report_malformed", "not a report in its canonical spelling");
  return *std::move(report);
}

Result<DrillReport> VerifyDrillNote(std::string_view note, std::span<const VerifierKey> trusted) {
  COFFER_ASSIGN(const VerifierKey signer, VerifyDocument(note, kDrillFormat, trusted));
  COFFER_ASSIGN(auto report, ParseDrillReport(note));
  if (report.log != signer.name) {
    return Corrupted("drill_report_malformed", "the report is of another log");
  }
  return report;
}

Result<std::string> AssembleDrillReport(std::string_view note) {
  COFFER_ASSIGN(const DrillReport report, ParseDrillReport(note));
  return FormatDrillDocument(report, note);
}

DrillReportCheck VerifyDrillReport(std::string_view document,
                                   std::span<const VerifierKey> trusted) {
  DrillReportCheck check;
  auto parsed = ParseDrillDocument(document);
  if (!parsed) {
    check.findings.push_back(
        {"document", "not the document of a drill's report, or not in its canonical spelling"});
    return check;
  }
  check.report = std::move(parsed->report);
  auto signer = VerifyDocument(parsed->note, kDrillFormat, trusted);
  if (!signer) {
    check.findings.push_back(
        {"signature", std::string(signer.error().reason) + ": " + signer.error().detail});
    return check;
  }
  if (*DocumentIn(parsed->note, kDrillFormat) != FormatDrillJson(*check.report)) {
    check.findings.push_back({"report", "the report is not the one that was signed"});
  }
  if (check.report->log != signer->name) {
    check.findings.push_back({"report", "the report is of another log"});
  }
  check.signed_by = *std::move(signer);
  return check;
}

}  // namespace coffer::audit
