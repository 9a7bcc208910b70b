// The report of a retention run, signed by the log's key: what was due, what was done about it and
// what was not. A signed note (internal/signed_document.h) of the format "coffer-run-report-v1",
// delivered as {"note","report"}; docs/formats.md has both to the byte.
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

#include "audit/checkpoint.h"
#include "audit/clock.h"
#include "audit/evidence_page.h"
#include "audit/finding.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

enum class RunTrigger { kScheduled, kDemand };
std::string_view Name(RunTrigger trigger);  // "scheduled", "demand"

// Numbers of records; of clients without records under the name kClientItself (erasure_scope.h).
struct RunClass {
  std::string class_name;
  std::uint64_t due = 0;         // past their time when the run looked
  std::uint64_t erased = 0;      // destroyed
  std::uint64_t restricted = 0;  // kept, and closed to all but storage and protection
  std::uint64_t review = 0;      // left to a person
  std::uint64_t held = 0;        // stopped by holds
  std::uint64_t failed = 0;      // tried in vain: due again
  bool operator==(const RunClass&) const = default;
};

inline constexpr std::size_t kMaxRunClasses = 200;
inline constexpr std::size_t kMaxRunText = 256;  // bytes of each text

struct RunReport {
  std::string run;  // "run_…"
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
  std::vector<RunClass> classes;
  std::string log;  // origin
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  bool operator==(const RunReport&) const = default;
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
  // signed). Empty: nothing is wrong.
  std::vector<DocumentFinding> findings;
  bool ok() const { return findings.empty(); }
};

// `trusted` are keys of the one log, as the verifier knows them from elsewhere.
RunReportCheck VerifyRunReport(std::string_view document, std::span<const VerifierKey> trusted);

// For reading and printing, as act_page.h. `note` is the report's signed note.
std::string RunReportPage(const RunReport& report, std::string_view note, PageLanguage language);

}  // namespace coffer::audit
