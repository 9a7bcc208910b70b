// What becomes of due dates when a class counts from another field.
#include <algorithm>

#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/catalog/catalog_state.h"
#include "vault/catalog/retention_dates.h"
#include "vault/deletion/class_preview.h"
#include "vault/deletion/retention.h"
#include "vault/deletion/retention_days.h"

namespace coffer::vault {
namespace {

// Opened at once, and looked at in one scan.
constexpr std::size_t kMostOpened = 256;
constexpr std::size_t kMostScannedAtOnce = 50'000;

// What is asked, as it was when it was asked.
struct DueDateQuestion {
  std::shared_ptr<const ScheduleInForce> schedule;
  RetentionDates dates;
  const ClassSchema& after;
  Timestamp at;
};

struct DatedRecord {
  std::int64_t record = 0;
  const RetentionPolicy* policy = nullptr;
  RetentionDue before;
};

using DueDateChanges = std::map<const RetentionPolicy*, DueDateChange>;

void CountChange(const RetentionDue& before, const RetentionDue& after, Timestamp at,
                 DueDateChange& change) {
  const bool was = before.state == RetentionDue::State::kAt;
  const bool is = after.state == RetentionDue::State::kAt;
  if (was && before.at <= at) ++change.due_before;
  if (is && after.at <= at) ++change.due_after;
  if (was != is) {
    ++(is ? change.begins : change.ends);
  } else if (!was || before.at == after.at) {
    ++change.unchanged;
  } else {
    ++(after.at < before.at ? change.sooner : change.later);
  }
}

// The records of the class that come under the date of a field, behind `place`.
Status FindDated(RetentionStore& store, const DueDateQuestion& question,
                 RetentionStore::Place& place, std::vector<DatedRecord>& found, bool& more) {
  const RetentionSchedule& schedule = question.schedule->schedule;
  std::size_t scanned = 0;
  std::optional<RetentionClient> client;
  RetentionStore::Place last = place;
  std::int64_t owner = -1;
  more = false;
  COFFER_TRY(store.ScanAfter(place, [&](const RetentionSubject& subject) -> Result<bool> {
    if (found.size() >= kMostOpened || ++scanned > kMostScannedAtOnce) {
      more = true;
      return false;
    }
    last = {subject.client, std::string(subject.class_name), subject.record};
    if (subject.class_name != question.after.name) return true;
    if (subject.client != owner) {
      owner = subject.client;
      COFFER_ASSIGN(client, store.FindClient(owner));
    }
    if (!client) return true;
    const auto& policy = schedule.PolicyFor(subject.class_name, client->tags);
    if (policy.keeps() || policy.trigger != RetentionTrigger::kDateField) return true;
    RetentionEvents events;
    if (question.dates.IsCurrent(subject.class_name, subject.date_version)) {
      events.date_field = subject.date_field;
    }
    found.push_back({subject.record, &policy, schedule.DueAt(policy, events)});
    return true;
  }));
  place = std::move(last);
  return {};
}

Status CountChanges(const Operations& operations, const DueDateQuestion& question,
                    std::span<const DatedRecord> found, DueDateChanges& changes) {
  std::vector<std::int64_t> records;
  for (const DatedRecord& record : found) records.push_back(record.record);
  std::map<std::int64_t, std::optional<std::string>> documents;
  for (std::span<const std::int64_t> rest = records; !rest.empty();) {
    std::size_t taken = 0;
    COFFER_ASSIGN(auto opened, OpenDocuments(operations, rest, taken));
    for (auto& document : opened) {
      documents.insert_or_assign(document.record, std::move(document.document));
    }
    rest = rest.subspan(taken);
  }
  for (const DatedRecord& record : found) {
    const auto document = documents.find(record.record);
    if (document == documents.end()) continue;  // gone since
    DueDateChange& change = changes[record.policy];
    ++change.records;
    if (!document->second) {
      ++change.unreadable;
      continue;
    }
    RetentionEvents events;
    events.date_field = DayInStored(question.after, *document->second);
    CountChange(record.before, question.schedule->schedule.DueAt(*record.policy, events),
                question.at, change);
  }
  return {};
}

}  // namespace

Result<ClassPreview> Retention::PreviewClass(const Caller& caller, std::string_view name,
                                             std::string_view definition) {
  constexpr Action kAction = Action::kRetentionRead;
  auto parsed = ParseClass(definition);
  if (parsed && parsed->name != name) {
    parsed = std::unexpected(Error{
        Code::kUnprocessable, "class_invalid", {}, {{"/name", "must be the name in the path"}}});
  }
  if (auto faults = FaultsOfClassWords(definition); parsed && !faults.empty()) {
    parsed = std::unexpected(Error{Code::kUnprocessable, "class_invalid", {}, std::move(faults)});
  }
  if (!parsed) {
    return operations_.Refuse(caller, {kAction}, parsed.error());
  }
  DueDateQuestion question{nullptr, {}, *parsed, {}};
  ClassPreview preview;
  preview.class_name = parsed->name;
  Call asked = operations_.Start(caller, {.action = kAction, .entry = EntryRule::kOnRefusal});
  asked.entry.class_name = parsed->name;
  COFFER_TRY(operations_.Perform(asked, [&](Transaction& transaction) -> Status {
    const Catalog& catalog = transaction.Of<CatalogState>().current();
    preview.at = question.at = transaction.now();
    const auto newest = catalog.Newest(name);
    if (newest) preview.version = newest->version;
    if (!catalog.retention) return {};
    preview.schedule = catalog.retention->version;
    preview.moves_due_dates =
        newest && MovesDueDates(catalog.retention->schedule, *newest, *parsed);
    if (preview.moves_due_dates && !catalog.retention->schedule.zone_is_known()) {
      return Fail(Code::kConflict, "time_zone_unknown",
                  "the machine has no time zone " + catalog.retention->schedule.time_zone());
    }
    question.schedule = catalog.retention;
    question.dates = RetentionDates(catalog);
    return {};
  }));
  DueDateChanges changes;
  if (preview.moves_due_dates) {
    COFFER_ASSIGN(auto reader, snapshots_.Open());
    COFFER_ASSIGN(auto store, RetentionStore::Open(reader->database()));
    RetentionStore::Place place;
    for (bool more = true; more;) {
      std::vector<DatedRecord> found;
      COFFER_TRY(FindDated(store, question, place, found, more));
      COFFER_TRY(CountChanges(operations_, question, found, changes));
    }
  }
  std::uint64_t records = 0;
  for (auto& [policy, change] : changes) {
    change.policy = policy->name;
    change.action = NameOf(policy->action);
    records += change.records;
    preview.changes.push_back(std::move(change));
  }
  std::ranges::sort(preview.changes, {}, &DueDateChange::policy);
  Call call = operations_.Start(caller, {kAction});
  call.entry.class_name = parsed->name;
  COFFER_TRY(operations_.Perform(call, [&](Transaction&) -> Status {
    if (preview.version != 0) call.entry.version = preview.version;
    call.entry.detail = "preview of the due dates of " + std::to_string(records) + " records";
    return {};
  }));
  return preview;
}

}  // namespace coffer::vault
