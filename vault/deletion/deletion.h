// Deletion for good, and what stands in its way: erasures and their acts, holds, restrictions, the
// retention schedule and its runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/page_language.h"
#include "audit/text/clock.h"
#include "vault/base/ids.h"

namespace coffer::vault {

using audit::Timestamp;

// What goes: the client with all there is, or the records of a class, or single records. Where
// something stays it is sealed again under a new key, and the old key is destroyed.
enum class ErasureScope : std::uint8_t { kClient = 1, kClass, kRecords };
std::string_view Name(ErasureScope scope);

// Why: "request" (GDPR 17(1)(c), PIPL 47), "consent-withdrawn" (GDPR 17(1)(b), 152-FZ 21(5)),
// "purpose-reached" (GDPR 17(1)(a), 152-FZ 21(4)), "contract-end", "unlawful" (GDPR 17(1)(d),
// 152-FZ 20(3), 21(3)), "retention": by the schedule. "replayed": asked for earlier, and found in
// the ledger when an older state of the vault was opened.
enum class ErasureBasis : std::uint8_t {
  kRequest = 1,
  kConsentWithdrawn,
  kPurposeReached,
  kContractEnd,
  kUnlawful,
  kRetention,
  kReplayed
};
std::string_view Name(ErasureBasis basis);
std::optional<ErasureBasis> ErasureBasisFromName(std::string_view name);

// Neither a class nor records: the client with everything.
struct ErasureRequest {
  ErasureBasis basis = ErasureBasis::kRequest;
  std::string class_name;
  std::vector<RecordId> records;  // at most 1000
};

struct Erasure {
  ErasureId id;
  ClientId client;
  ErasureScope scope = ErasureScope::kClient;
  ErasureBasis basis = ErasureBasis::kRequest;
  std::string class_name;
  Timestamp erased;
  std::uint64_t records = 0, versions = 0;  // gone; versions: the old ones of these records
  std::uint64_t seq = 0;                    // of the log entry
  bool complete = false;                    // the key is destroyed and the ledger has it
};

// How a signed document is wanted.
enum class DocumentForm : std::uint8_t { kDocument, kPage, kLogJson, kLogCsv };
struct DocumentRequest {
  DocumentForm form = DocumentForm::kDocument;
  // Of a page, and of the words in a log export as CSV.
  audit::PageLanguage language = audit::PageLanguage::kEnglish;
};

// One place that could hold something of a client.
struct Trace {
  std::string place;  // "records", "old-versions", "notes", "key", "log", "acts", ...
  std::string state;  // "present", "absent", "pseudonymous", "unreadable", "unknown"
  std::uint64_t count = 0;
  std::string detail;  // in words; never a value
};

// Stops retention, erasure and deletion of what it covers: one client, one class of a client, or
// every client with a tag.
struct HoldRequest {
  std::optional<ClientId> client;
  std::string class_name;  // with a client
  std::string tag;         // without one
  std::string reason;      // 1 to 1000 bytes of text
  std::string case_number;
  Timestamp review_due;
};
struct Hold {
  HoldId id;
  HoldRequest terms;
  Timestamp placed;
  PrincipalId placed_by;
  std::optional<Timestamp> lifted;
  std::optional<PrincipalId> lifted_by;
  crypto::Bytes sealed_text = {};  // as stored: reason and case number, where it is on a client
};

// What a restriction stops: the purposes named (an objection), or all but those named, also such as
// are registered later (a restriction of processing).
struct StoppedPurposes {
  bool all_but = true;
  std::vector<std::string> purposes;  // sorted, once it is stored

  bool Include(std::string_view purpose) const;
  bool IncludeAll() const { return all_but && purposes.empty(); }
};
// Of the client, or of one class of it, nothing is processed for the purposes stopped, but for
// storage and what officers do for the client's own rights (GDPR 18 and 21, 152-FZ 21, PIPL 47).
// Several stand side by side: what one of them stops is stopped.
struct RestrictionRequest {
  std::string class_name;  // empty: the whole client
  std::string basis;       // in words; sealed under the client's key
  StoppedPurposes stops = {};
};
struct Restriction {
  RestrictionId id;
  ClientId client;
  RestrictionRequest terms;
  Timestamp since;
  std::optional<PrincipalId> placed_by;  // absent: the vault, by the retention schedule
};

struct StoredSchedule {
  std::uint64_t version = 0;
  std::string definition;  // canonical JSON
  Timestamp created;
};

struct RetentionPreviewRequest {
  std::optional<Timestamp> until;  // what will be due by then; absent: what is due now
  std::size_t months = 12;         // to forecast; at most 600
  bool with_ids = false;           // takes retention.run as well
};
// The records of one class that come under one policy: see RetentionForecast of retention_plan.h.
struct RetentionCount {
  std::string class_name;
  std::string policy, action;  // both empty: the class itself is to be kept
  std::uint64_t records = 0, kept = 0, not_begun = 0, unknown = 0, due = 0, later = 0;
  std::uint64_t held = 0;  // of those that are due: a run leaves them
  std::vector<std::uint64_t> by_month;
};
struct RetentionDueRecord {
  std::optional<RecordId> id;  // absent: the client itself
  ClientId client;
  std::string class_name, policy, action;
  bool held = false;
};
struct RetentionPreview {
  std::uint64_t schedule = 0;       // version
  Timestamp at;                     // due by then
  std::vector<std::string> months;  // "2026-01", …: those of by_month
  std::vector<RetentionCount> counts;
  std::uint64_t records = 0, due = 0, held = 0;
  std::vector<RetentionDueRecord> listed;  // due, at most 1000; where they were asked for
};

struct RetentionRun {
  RunId id;
  std::uint64_t schedule = 0;  // version
  std::string state;           // "running", "finished", "waiting-for-clock", "failed"
  std::string trigger;         // "scheduled", "demand"
  std::optional<PrincipalId> asked_by;
  Timestamp started;
  std::optional<Timestamp> finished;
  // Records, and clients without any.
  std::uint64_t due = 0, erased = 0, restricted = 0, for_review = 0, held = 0, failed = 0;
  std::uint64_t waiting = 0;    // due, and made so by one person within the last week
  std::uint64_t unreached = 0;  // due, and the run failed before it came to them
  std::uint64_t unknown = 0;    // not due: the calendar ends before their period does
  bool counted = true;          // false: what the run did not come to could not be counted
  // Of a failure: "schedule_changed", "operator_incomplete", "time_zone_unknown"; and which zone.
  std::string reason, detail;
};

// What becomes of due dates when a class counts from another field: of the records of one class
// that come under one policy by the date of a field. Each is in exactly one of what follows
// `records`, up to `unreadable`.
struct DueDateChange {
  std::string policy, action;
  std::uint64_t records = 0;
  std::uint64_t unchanged = 0, sooner = 0, later = 0;
  std::uint64_t begins = 0;                     // had no due date, and will have one
  std::uint64_t ends = 0;                       // had one, and will have none
  std::uint64_t unreadable = 0;                 // cannot be opened: will have none
  std::uint64_t due_before = 0, due_after = 0;  // by the time of the preview
};
struct ClassPreview {
  std::string class_name;
  std::uint64_t version = 0;   // the newest one of the class; 0: there is none
  std::uint64_t schedule = 0;  // version; 0: there is none
  Timestamp at;
  bool moves_due_dates = false;  // then two people decide
  std::vector<DueDateChange> changes;
};

}  // namespace coffer::vault
