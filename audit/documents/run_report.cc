#include "audit/documents/run_report.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "audit/documents/canonical_json.h"
#include "audit/documents/erasure_scope.h"
#include "audit/documents/ids.h"
#include "audit/documents/signed_document.h"
#include "audit/entries/entry_limits.h"
#include "audit/text/visible_text.h"
#include "audit/tlog/note.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kRunFormats[] = {"coffer-run-report-v1", "coffer-run-report-v2"};
constexpr RunTrigger kRunTriggers[] = {RunTrigger::kScheduled, RunTrigger::kDemand};
constexpr RunOutcome kRunOutcomes[] = {RunOutcome::kFinished, RunOutcome::kFailed};

std::string_view FormatOf(const RunReport& report) {
  return kRunFormats[report.version == 1 ? 0 : 1];
}

std::string FormatRunJson(const RunReport& report) {
  const bool whole = report.version != 1;
  CanonicalWriter out;
  out.Open();
  out.List("classes", report.classes, [&](const RunClass& counts) {
    out.Open().Text("class", counts.class_name).Number("due", counts.due);
    out.Number("erased", counts.erased).Number("failed", counts.failed);
    out.Number("held", counts.held).Number("restricted", counts.restricted);
    out.Number("review", counts.review);
    if (whole) {
      out.Number("unknown", counts.unknown).Number("unreached", counts.unreached);
      out.Number("waiting", counts.waiting);
    }
    out.Close();
  });
  out.Text("clock", report.clock);
  if (whole) out.Boolean("counted", report.counted).OptionalText("detail", report.detail);
  out.Time("finished", report.finished);
  out.Number("first_seq", report.first_seq).Text("format", FormatOf(report));
  out.Number("last_seq", report.last_seq).Text("log", report.log);
  if (whole) out.Text("outcome", Name(report.outcome)).OptionalText("reason", report.reason);
  out.OptionalText("requested_by", report.requested_by).Text("run", report.run);
  out.Hex("schedule_sha256", report.schedule_hash);
  out.Number("schedule_version", report.schedule_version).Time("started", report.started);
  out.Text("trigger", Name(report.trigger)).Text("vault", report.vault).Close();
  return out.Take();
}

// `report.version` says which one is expected.
bool ReadRunJson(CanonicalReader& in, RunReport& report) {
  const bool whole = report.version != 1;
  const auto read_class = [&] {
    RunClass& counts = report.classes.emplace_back();
    return in.Open() && in.Text("class", counts.class_name) && in.Number("due", counts.due) &&
           in.Number("erased", counts.erased) && in.Number("failed", counts.failed) &&
           in.Number("held", counts.held) && in.Number("restricted", counts.restricted) &&
           in.Number("review", counts.review) &&
           (!whole ||
            (in.Number("unknown", counts.unknown) && in.Number("unreached", counts.unreached) &&
             in.Number("waiting", counts.waiting))) &&
           in.Close();
  };
  return in.Open() && in.List("classes", kMaxRunClasses, read_class) &&
         in.Text("clock", report.clock) &&
         (!whole ||
          (in.Boolean("counted", report.counted) && in.OptionalText("detail", report.detail))) &&
         in.Time("finished", report.finished) && in.Number("first_seq", report.first_seq) &&
         in.Constant("format", FormatOf(report)) && in.Number("last_seq", report.last_seq) &&
         in.Text("log", report.log) &&
         (!whole || (in.OneOf("outcome", kRunOutcomes, report.outcome) &&
                     in.OptionalText("reason", report.reason))) &&
         in.OptionalText("requested_by", report.requested_by) && in.Text("run", report.run) &&
         in.Hex("schedule_sha256", report.schedule_hash) &&
         in.Number("schedule_version", report.schedule_version) &&
         in.Time("started", report.started) && in.OneOf("trigger", kRunTriggers, report.trigger) &&
         in.Text("vault", report.vault) && in.Close();
}

std::uint64_t AccountedFor(const RunClass& counts) {
  return counts.erased + counts.restricted + counts.review + counts.held + counts.failed +
         counts.waiting + counts.unreached;
}

// What cannot be true together. An older report does not account for all that was due.
std::string RunContradiction(const RunReport& report) {
  if (report.version == 1) return "";
  bool unreached = false;
  for (const RunClass& counts : report.classes) {
    if (AccountedFor(counts) != counts.due) {
      return "of the class " + counts.class_name + " " + std::to_string(counts.due) +
             " were due, and what became of " + std::to_string(AccountedFor(counts)) +
             " of them is said";
    }
    unreached = unreached || counts.unreached != 0;
  }
  const bool finished = report.outcome == RunOutcome::kFinished;
  if (finished && (unreached || !report.counted || !report.reason.empty())) {
    return "the run has finished, and says what kept it from that";
  }
  if (!finished && report.reason.empty()) return "the run failed, and does not say why";
  return "";
}

bool CountsFit(const RunClass& counts) {
  return IsCounted(counts.class_name) &&
         std::max({counts.due, counts.erased, counts.restricted, counts.review, counts.held,
                   counts.failed, counts.waiting, counts.unreached, counts.unknown}) <= kMaxNumber;
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
  if (report.version != 1 && report.version != kNewestRunReport) return "no version of the format";
  for (const std::string* text :
       {&report.requested_by, &report.clock, &report.log, &report.reason, &report.detail}) {
    if (text->size() > kMaxRunText || !IsUtf8(*text)) return "a text is too long or not UTF-8";
  }
  return "";
}

std::optional<RunReport> ParseRunJson(std::string_view json, int version) {
  RunReport report;
  report.version = version;
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

std::optional<RunDocument> ParseRunDocument(std::string_view text, int version) {
  // Files end with a line feed that the document does not have.
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() > kMaxRunReportDocumentBytes) return std::nullopt;
  RunDocument document;
  document.report.version = version;
  CanonicalReader in(text);
  if (!in.Open() || !in.Text("note", document.note) || !in.Member("report") ||
      !ReadRunJson(in, document.report) || !in.Close() || !in.AtEnd() ||
      !RunProblem(document.report).empty() ||
      FormatRunDocument(document.report, document.note) != text) {
    return std::nullopt;
  }
  return document;
}

std::optional<RunDocument> ParseRunDocument(std::string_view text) {
  auto newest = ParseRunDocument(text, kNewestRunReport);
  return newest ? std::move(newest) : ParseRunDocument(text, 1);
}

}  // namespace

std::string_view Name(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::kFinished:
      return "finished";
    case RunOutcome::kFailed:
      return "failed";
  }
  std::abort();
}

bool RunReport::nothing_was_due() const {
  return version != 1 && outcome == RunOutcome::kFinished &&
         std::ranges::all_of(classes, [](const RunClass& counts) {
           return counts.due == 0 && counts.unknown == 0;
         });
}

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
  return SignDocument(FormatOf(report), FormatRunJson(report), name, key);
}

Result<RunReport> ParseRunReport(std::string_view note) {
  for (const int version : {kNewestRunReport, 1}) {
    const auto json = DocumentIn(note, kRunFormats[version - 1]);
    if (!json && version != 1) continue;
    if (!json) return Corrupted("run_report_malformed", json.error().detail);
    auto report = ParseRunJson(*json, version);
    if (report) return *std::move(report);
    break;
  }
  return Corrupted("run_report_malformed", "not a report in its canonical spelling");
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
  const std::string_view format = FormatOf(*check.report);
  auto signer = VerifyDocument(parsed->note, format, trusted);
  if (!signer) {
    check.findings.push_back(
        {"signature", std::string(signer.error().reason) + ": " + signer.error().detail});
    return check;
  }
  if (*DocumentIn(parsed->note, format) != FormatRunJson(*check.report)) {
    check.findings.push_back({"report", "the report is not the one that was signed"});
  }
  if (check.report->log != signer->name) {
    check.findings.push_back({"report", "the report is of another log"});
  }
  if (std::string fault = RunContradiction(*check.report); !fault.empty()) {
    check.findings.push_back({"counts", std::move(fault)});
  }
  check.signed_by = *std::move(signer);
  return check;
}

}  // namespace coffer::audit
