// The report of a drill, signed by the log's key: a backup was restored into a scratch place,
// opened and verified there, and what that has shown. A signed note
// (audit/documents/signed_document.h) of the format "coffer-drill-report-v1", delivered as
// {"note","report"}; docs/formats.md has both to the byte.
//
// The signature shows that whoever has the vault's root key says so. No part of the vault, and of
// its log no entry, is in it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/finding.h"
#include "audit/text/clock.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

enum class DrillOutcome : std::uint8_t { kPassed, kFailed };
std::string_view Name(DrillOutcome outcome);  // "passed", "failed"
inline constexpr std::array kDrillOutcomes{DrillOutcome::kPassed, DrillOutcome::kFailed};

// What the newest checkpoint that was known says of the restored log.
enum class DrillComparison : std::uint8_t {
  kNone,       // "none": no checkpoint was known
  kContains,   // "contains": it is of the restored log, in which more entries may follow
  kContinues,  // "continues": the restored log is the beginning of the one it is of, which was
               // proved
  kUnproven,   // "unproven": it is of a longer log, and nobody was asked for a proof
  kDiffers,    // "differs": it is of another log
};
std::string_view Name(DrillComparison comparison);
inline constexpr std::array kDrillComparisons{
    DrillComparison::kNone, DrillComparison::kContains, DrillComparison::kContinues,
    DrillComparison::kUnproven, DrillComparison::kDiffers};

inline constexpr std::size_t kMaxDrillFindings = 20;
inline constexpr std::size_t kMaxDrillText = 256;  // bytes of each text

// Of a drill that failed, what was not reached is empty or 0.
struct DrillReport {
  Timestamp started, finished;
  std::string vault;                             // its id
  std::string log;                               // origin
  std::string data_repository, keys_repository;  // their ids, hexadecimal
  std::string generation;                        // of the data, "bkp_…"
  std::string keys_generation;
  std::uint64_t increments = 0;         // behind the generation, that were restored
  std::optional<Timestamp> moment;      // of which the copy is
  std::uint64_t log_size = 0;           // entries in it
  Hash root{};                          // of its log
  std::uint64_t erasures_repeated = 0;  // from the ledger, at the opening
  std::uint64_t acts_repeated = 0;      // others that protect
  std::uint64_t acts_not_repeated = 0;  // that only give more: told to a person
  std::uint64_t clients = 0, records = 0, versions = 0;  // that were verified
  DrillComparison comparison = DrillComparison::kNone;
  std::uint64_t compared_size = 0;  // entries under that checkpoint
  std::uint64_t restore_ms = 0, open_ms = 0, verify_ms = 0;
  DrillOutcome outcome = DrillOutcome::kFailed;
  std::vector<std::string> findings;  // what is wrong; of a drill that passed none
  bool operator==(const DrillReport&) const = default;
};

// The text as a report may have it: UTF-8, and no longer than kMaxDrillText.
std::string DrillText(std::string_view text);

// The signed note; the same report and key give the same bytes. Errors: kInvalidArgument
// "drill_report_invalid" (ids, texts, times and numbers that do not fit, or that cannot be true
// together; a log that is not `name`), kTooLarge "document_too_large".
Result<std::string> WriteDrillReport(const DrillReport& report, std::string_view name,
                                     const crypto::SigningKey& key);

// What a note says, of which no signature is checked. Errors: kCorrupted "drill_report_malformed".
Result<DrillReport> ParseDrillReport(std::string_view note);
// By one of `trusted`. Errors: those of VerifyDocument and ParseDrillReport.
Result<DrillReport> VerifyDrillNote(std::string_view note, std::span<const VerifierKey> trusted);

// The document to deliver. Nothing is verified. Errors: kCorrupted "drill_report_malformed".
Result<std::string> AssembleDrillReport(std::string_view note);

inline constexpr std::size_t kMaxDrillReportDocumentBytes = 256UZ * 1024;

struct DrillReportCheck {
  std::optional<DrillReport> report;     // as the document says; absent when it cannot be read
  std::optional<VerifierKey> signed_by;  // when the signature holds
  // "document" (not one of these, not in the one spelling), "signature", "report" (not what was
  // signed). Empty: nothing is wrong.
  std::vector<DocumentFinding> findings;
  bool ok() const { return findings.empty(); }
};

// `trusted` are keys of the one log, as the verifier knows them from elsewhere.
DrillReportCheck VerifyDrillReport(std::string_view document, std::span<const VerifierKey> trusted);

}  // namespace coffer::audit
