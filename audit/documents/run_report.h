// The report of a retention run, signed by the log's key: what was due, what was done about it and
// what was not, and how it ended. A signed note (audit/documents/signed_document.h) of the format
// "coffer-run-report-v2", delivered as {"note","report"}; docs/formats.md has both to the byte.
// Reports of "coffer-run-report-v1" are read and verified as before: they say neither how a run
// ended nor what of that which was due it left for another.
//
// The signature shows that the vault says so. What was erased in truth each erasure's act shows
// (erasure_act.h); their entries lie between `first_seq` and `last_seq`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/finding.h"
#include "audit/documents/page_language.h"
#include "audit/documents/page_names.h"
#include "audit/text/clock.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

enum class RunTrigger { kScheduled, kDemand };
std::string_view Name(RunTrigger trigger);  // "scheduled", "demand"
enum class RunOutcome { kFinished, kFailed };
std::string_view Name(RunOutcome outcome);  // "finished", "failed"

// Numbers of records; of clients without records under the name kClientItself (erasure_scope.h).
// What was due is in exactly one of the others up to `unreached`.
struct RunClass {
  std::string class_name;
  std::uint64_t due = 0;         // past their time when the run looked
  std::uint64_t erased = 0;      // destroyed
  std::uint64_t restricted = 0;  // kept, and closed to all but storage and protection
  std::uint64_t review = 0;      // left to a person
  std::uint64_t held = 0;        // stopped by holds
  std::uint64_t failed = 0;      // tried in vain: due again
  std::uint64_t waiting = 0;     // made due by one person within the last week: due again
  std::uint64_t unreached = 0;   // the run ended before it came to them: due again
  // Not among those that are due: the calendar of working days ends before their period does.
  std::uint64_t unknown = 0;
  bool operator==(const RunClass&) const = default;
};

inline constexpr std::size_t kMaxRunClasses = 200;
inline constexpr std::size_t kMaxRunText = 256;  // bytes of each text
inline constexpr int kNewestRunReport = 2;

struct RunReport {
  int version = kNewestRunReport;  // of the format, 1 or 2; the older one leaves members out
  std::string run;                 // "run_…"
  std::string vault;
  std::uint64_t schedule_version = 0;
  Hash schedule_hash{};  // SHA-256 of the retention schedule
  Timestamp started;
  Timestamp finished;
  RunTrigger trigger = RunTrigger::kScheduled;
  std::string requested_by;  // principal; empty: nobody, the schedule
  // What the vault held of its clock, as a word: with a clock that is not trusted nothing is due.
  // The catalogues have words for "trusted", "suspect" and "unknown".
  std::string clock;
  RunOutcome outcome = RunOutcome::kFinished;
  // Of a failure, as a word, and what it is about (a time zone). The catalogues have words for
  // "schedule_changed", "operator_incomplete" and "time_zone_unknown".
  std::string reason, detail;
  bool counted = true;  // false: how many it did not come to is not known
  std::vector<RunClass> classes;
  std::string log;  // origin
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  bool operator==(const RunReport&) const = default;

  // It came to its end, and nothing was due, as far as that can be told. An older report does not
  // say so.
  bool nothing_was_due() const;
};

// The signed note; the same report and key give the same bytes. Errors: kInvalidArgument
// "run_report_invalid" (ids, texts, times and numbers that do not fit, a log that is not `name`),
// kTooLarge "document_too_large".
Result<std::string> WriteRunReport(const RunReport& report, std::string_view name,
                                   const crypto::SigningKey& key);

// What a note says, of which no signature is checked. Errors: kCorrupted "run_report_malformed".
Result<RunReport> ParseRunReport(std::string_view note);

// The document to deliver. Nothing is verified. Errors: kCorrupted "run_report_malformed".
Result<std::string> AssembleRunReport(std::string_view note);

inline constexpr std::size_t kMaxRunReportDocumentBytes = 256UZ * 1024;

struct RunReportCheck {
  std::optional<RunReport> report;       // as the document says; absent when it cannot be read
  std::optional<VerifierKey> signed_by;  // when the signature holds
  // "document" (not one of these, not in the one spelling), "signature", "report" (not what was
  // signed), "counts" (what was due is not all accounted for, or the end contradicts the counts).
  // Empty: nothing is wrong.
  std::vector<DocumentFinding> findings;
  bool ok() const { return findings.empty(); }
};

// `trusted` are keys of the one log, as the verifier knows them from elsewhere.
RunReportCheck VerifyRunReport(std::string_view document, std::span<const VerifierKey> trusted);

// For reading and printing, as act_page.h. `note` is the report's signed note.
std::string RunReportPage(const RunReport& report, std::string_view note, PageLanguage language,
                          const PageNames& names = {});

}  // namespace coffer::audit
