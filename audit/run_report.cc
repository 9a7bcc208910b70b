#include "audit/run_report.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "audit/internal/canonical_json.h"
#include "audit/internal/entry_limits.h"
#include "audit/internal/ids.h"
#include "audit/internal/note.h"
#include "audit/internal/signed_document.h"
#include "audit/internal/visible_text.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kRunFormat = "coffer-run-report-v1";
constexpr RunTrigger kRunTriggers[] = {RunTrigger::kScheduled, RunTrigger::kDemand};

std::string FormatRunJson(const RunReport& report) {
  CanonicalWriter out;
  out.Open();
  out.List("classes", report.classes, [&](const RunClass& counts) {
    out.Open().Text("class", counts.class_name).Number("due", counts.due);
    out.Number("erased", counts.erased).Number("failed", counts.failed);
    out.Number("held", counts.held).Number("restricted", counts.restricted);
    out.Number("review", counts.review).Close();
  });
  out.Text("clock", report.clock).Time("finished", report.finished);
  out.Number("first_seq", report.first_seq).Text("format", kRunFormat);
  out.Number("last_seq", report.last_seq).Text("log", report.log);
  out.OptionalText("requested_by", report.requested_by).Text("run", report.run);
  out.Hex("schedule_sha256", report.schedule_hash);
  out.Number("schedule_version", report.schedule_version).Time("started", report.started);
  out.Text("trigger", Name(report.trigger)).Text("vault", report.vault).Close();
  return out.Take();
}

bool ReadRunJson(CanonicalReader& in, RunReport& report) {
  const auto read_class = [&] {
    RunClass& counts = report.classes.emplace_back();
    return in.Open() && in.Text("class", counts.class_name) && in.Number("due", counts.due) &&
           in.Number("erased", counts.erased) && in.Number("failed", counts.failed) &&
           in.Number("held", counts.held) && in.Number("restricted", counts.restricted) &&
           in.Number("review", counts.review) && in.Close();
  };
  return in.Open() && in.List("classes", kMaxRunClasses, read_class) &&
         in.Text("clock", report.clock) && in.Time("finished", report.finished) &&
         in.Number("first_seq", report.first_seq) && in.Constant("format", kRunFormat) &&
         in.Number("last_seq", report.last_seq) && in.Text("log", report.log) &&
         in.OptionalText("requested_by", report.requested_by) && in.Text("run", report.run) &&
         in.Hex("schedule_sha256", report.schedule_hash) &&
         in.Number("schedule_version", report.schedule_version) &&
         in.Time("started", report.started) && in.OneOf("trigger", kRunTriggers, report.trigger) &&
         in.Text("vault", report.vault) && in.Close();
}

bool CountsFit(const RunClass& counts) {
  return IsCounted(counts.class_name) &&
         std::max({counts.due, counts.erased, counts.restricted, counts.review, counts.held,
                   counts.failed}) <= kMaxNumber;
}

bool InCalendar(Timestamp time) {
  const auto again = ParseTimestamp(FormatTimestamp(time));
  return again && *again == time;
}

std::string RunProblem(const RunReport& report) {
  if (!IsId(report.run, kRunPrefix)) return "the run's id is none";
  if (!IsId(report.vault, kNoPrefix)) return "the vault's id is none";
  if (report.classes.size() > kMaxRunClasses) return "too many classes";
  if (!std::ranges::all_of(report.classes, CountsFit)) return "a class's name or numbers";
  if (std::max({report.first_seq, report.last_seq, report.schedule_version}) > kMaxNumber) {
    return "a number is too large";
  }
  if (report.first_seq > report.last_seq) return "the range of the log ends before it begins";
  if (report.started > report.finished || !InCalendar(report.started) ||
      !InCalendar(report.finished)) {
    return "the times";
  }
  for (const std::string* text : {&report.requested_by, &report.clock, &report.log}) {
    if (text->size() > kMaxRunText || !IsUtf8(*text)) return "a text is too long or not UTF-8";
  }
  return "";
}

std::optional<RunReport> ParseRunJson(std::string_view json) {
  RunReport report;
  CanonicalReader in(json);
  if (!ReadRunJson(in, report) || !in.AtEnd() || !RunProblem(report).empty() ||
      FormatRunJson(report) != json) {
    return std::nullopt;
  }
  return report;
}

struct RunDocument {
  RunReport report;
  std::string note;
};

std::string FormatRunDocument(const RunReport& report, std::string_view note) {
  CanonicalWriter out;
  out.Open().Text("note", note).Json("report", FormatRunJson(report)).Close();
  return out.Take();
}

std::optional<RunDocument> ParseRunDocument(std::string_view text) {
  // Files end with a line feed that the document does not have.
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() > kMaxRunReportDocumentBytes) return std::nullopt;
  RunDocument document;
  CanonicalReader in(text);
  if (!in.Open() || !in.Text("note", document.note) || !in.Member("report") ||
      !ReadRunJson(in, document.report) || !in.Close() || !in.AtEnd() ||
      !RunProblem(document.report).empty() ||
      FormatRunDocument(document.report, document.note) != text) {
    return std::nullopt;
  }
  return document;
}

}  // namespace

std::string_view Name(RunTrigger trigger) {
  switch (trigger) {
    case RunTrigger::kScheduled:
      return "scheduled";
    case RunTrigger::kDemand:
      return "demand";
  }
  std::abort();
}

Result<std::string> WriteRunReport(const RunReport& report, std::string_view name,
                                   const crypto::SigningKey& key) {
  std::string problem = RunProblem(report);
  if (problem.empty() && report.log != name) problem = "the report is of another log than its key";
  if (!problem.empty()) {
    return Fail(Code::kInvalidArgument, "run_report_invalid", std::move(problem));
  }
  return SignDocument(kRunFormat, FormatRunJson(report), name, key);
}

Result<RunReport> ParseRunReport(std::string_view note) {
  const auto json = DocumentIn(note, kRunFormat);
  if (!json) return Corrupted("run_report_malformed", json.error().detail);
  auto report = ParseRunJson(*json);
  if (!report) return Corrupted("run_report_malformed", "not a report in its canonical spelling");
  return *std::move(report);
}

Result<std::string> AssembleRunReport(std::string_view note) {
  COFFER_ASSIGN(const RunReport report, ParseRunReport(note));
  return FormatRunDocument(report, note);
}

RunReportCheck VerifyRunReport(std::string_view document, std::span<const VerifierKey> trusted) {
  RunReportCheck check;
  auto parsed = ParseRunDocument(document);
  if (!parsed) {
    check.findings.push_back(
        {"document", "not the document of a run's report, or not in its canonical spelling"});
    return check;
  }
  check.report = std::move(parsed->report);
  auto signer = VerifyDocument(parsed->note, kRunFormat, trusted);
  if (!signer) {
    check.findings.push_back(
        {"signature", std::string(signer.error().reason) + ": " + signer.error().detail});
    return check;
  }
  if (*DocumentIn(parsed->note, kRunFormat) != FormatRunJson(*check.report)) {
    check.findings.push_back({"report", "the report is not the one that was signed"});
  }
  if (check.report->log != signer->name) {
    check.findings.push_back({"report", "the report is of another log"});
  }
  check.signed_by = *std::move(signer);
  return check;
}

}  // namespace coffer::audit
