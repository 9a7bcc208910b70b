// The retention schedule, what it will do, its runs, and the clock that they go by.
#include "vault/deletion/retention.h"

#include <algorithm>
#include <limits>

#include "audit/documents/document_limits.h"
#include "audit/documents/run_report.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/reason_rule.h"
#include "vault/access/restriction.h"
#include "vault/base/calendar.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/catalog/page_names.h"
#include "vault/catalog/retention_dates.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/document_request.h"
#include "vault/deletion/erase.h"
#include "vault/deletion/hold.h"
#include "vault/deletion/hold_store.h"
#include "vault/deletion/retention_days.h"
#include "vault/deletion/retention_plan.h"
#include "vault/deletion/retention_preview.h"
#include "vault/deletion/retention_run.h"
#include "vault/deletion/retention_store.h"
#include "vault/engine/snapshot_reader.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxListedDue = 1000;
constexpr std::size_t kMaxListedRuns = 1000;
constexpr std::int64_t kLastRow = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMsOfDay = std::int64_t{24} * 3600 * 1000;

std::string_view NameOf(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return "running";
    case RunState::kWaiting:
      return "waiting-for-clock";
    case RunState::kFinished:
      return "finished";
    case RunState::kFailed:
      break;
  }
  return "failed";
}

RetentionRun InfoOf(const RunRow& row) {
  RetentionRun run;
  run.id = row.id;
  run.schedule = row.schedule;
  run.state = NameOf(row.state);
  run.trigger = audit::Name(row.trigger);
  run.asked_by = row.asked_by;
  run.started = row.started;
  run.finished = row.finished;
  run.reason = row.reason;
  run.detail = row.detail;
  run.counted = row.counted;
  for (const auto& [name, count] : row.counts) {
    run.due += count.due;
    run.erased += count.erased;
    run.restricted += count.restricted;
    run.for_review += count.review;
    run.held += count.held;
    run.failed += count.failed;
    run.waiting += count.waiting;
    run.unreached += count.unreached;
    run.unknown += count.unknown;
  }
  return run;
}

StoredSchedule InfoOf(const ScheduleInForce& stored) {
  return {stored.version, stored.schedule.definition(), stored.created};
}

// Of every class as it is now, which may have changed since the schedule was checked.
Status RequireEveryClass(const Catalog& catalog, const RetentionSchedule& schedule) {
  std::vector<Issue> issues;
  for (const auto& schema : catalog.NewestClasses()) {
    for (const Issue& issue : schedule.IssuesOfClass(*schema)) {
      issues.push_back({"/policies", "class " + schema->name + ": " + issue.pointer.substr(1) +
                                         " " + issue.message});
    }
  }
  if (issues.empty()) return {};
  return std::unexpected(Error{Code::kUnprocessable, "retention_invalid", {}, std::move(issues)});
}

// Without one nobody knows when a day ends.
Status RequireZone(const ScheduleInForce& stored) {
  if (stored.schedule.zone_is_known()) return {};
  return Fail(Code::kConflict, "time_zone_unknown",
              "the machine has no time zone " + stored.schedule.time_zone());
}

// A schedule that was approved counts from the fields that its classes named then: one that came
// to name another since is not what the second person looked at.
Status RequireSameDates(Transaction& transaction, Call& call, const RetentionSchedule& schedule) {
  const auto id = ApprovalId::Parse(call.caller.approval);
  if (!id) return {};  // a vault of one person
  COFFER_ASSIGN(const auto approval, transaction.Of<AccessState>().stores.approvals.Find(*id));
  if (!approval) return {};
  for (const auto& [name, versions] : transaction.Of<CatalogState>().current().classes) {
    const auto other = std::ranges::find_if(
        versions.rbegin(), versions.rend(),
        [&](const auto& version) { return !ReadTheSameDay(*version, *versions.back()); });
    if (other == versions.rend() || !MovesDueDates(schedule, **other, *versions.back())) continue;
    COFFER_ASSIGN(const auto since, transaction.Of<CatalogState>().catalog_store.FindClassCreated(
                                        name, (*other)->version + 1));
    if (!since || *since >= approval->created) {
      return Deny(call, "approval", Code::kPermissionDenied, "approval_invalid");
    }
  }
  return {};
}

// As they were at the connection's snapshot.
Status LoadRegisters(Database& database, HoldRegister& holds, RestrictionRegister& restrictions) {
  COFFER_ASSIGN(auto hold_store, HoldStore::Open(database));
  COFFER_ASSIGN(auto live, hold_store.LoadLive());
  for (Hold& hold : live) holds.Put(std::move(hold));
  COFFER_ASSIGN(auto restriction_store, RestrictionStore::Open(database));
  COFFER_ASSIGN(auto loaded, restriction_store.Load());
  for (Restriction& restriction : loaded) restrictions.Put(std::move(restriction));
  return {};
}

// On a connection of its own, from the index over records and the clients' tags alone.
Result<RetentionPreview> Forecast(SnapshotReader& reader, const ScheduleInForce& stored,
                                  const RetentionDates& dates,
                                  const RetentionPreviewRequest& request, Timestamp at) {
  COFFER_ASSIGN(auto store, RetentionStore::Open(reader.database()));
  HoldRegister holds;
  RestrictionRegister restrictions;
  COFFER_TRY(LoadRegisters(reader.database(), holds, restrictions));
  const RetentionSchedule& schedule = stored.schedule;
  RetentionPlan plan(schedule, at, request.months, request.with_ids ? kMaxListedDue : 0);
  struct Place {
    std::int64_t client;
    std::optional<std::int64_t> record;
    bool held;
  };
  std::vector<std::int64_t> owners;
  std::vector<Place> listed;
  std::int64_t row = -1;
  std::optional<RetentionClient> client;
  std::optional<Day> relationship_end;
  COFFER_TRY(store.Scan(-1, [&](const RetentionSubject& subject) -> Result<bool> {
    if (subject.client != row) {
      row = subject.client;
      if (schedule.HasClientPolicies()) owners.push_back(row);
      COFFER_ASSIGN(client, store.FindClient(row));
      relationship_end.reset();
      if (client && client->relationship_end) {
        relationship_end = schedule.zone().DayOf(*client->relationship_end);
      }
    }
    if (!client) return true;
    RetentionEvents events{subject.created, subject.updated, relationship_end, {}};
    if (dates.IsCurrent(subject.class_name, subject.date_version)) {
      events.date_field = subject.date_field;
    }
    auto* const due = plan.Add({{}, subject.class_name, client->tags, events});
    const bool held =
        due != nullptr && due->policy->action == RetentionAction::kErase &&
        RetentionIsHeld(holds, restrictions, client->id, client->tags, subject.class_name);
    if (held) ++due->held;
    if (plan.listed().size() > listed.size()) listed.push_back({row, subject.record, held});
    return true;
  }));

  if (schedule.HasClientPolicies()) {
    const bool anything_held = !holds.empty() || !restrictions.empty();
    auto owner = owners.begin();
    COFFER_TRY(store.ScanEnded(-1, kLastRow, [&](const EndedClient& ended) -> Result<bool> {
      while (owner != owners.end() && *owner < ended.client) ++owner;
      if (owner != owners.end() && *owner == ended.client) return true;
      auto* const due = plan.Add({{},
                                  audit::kClientItself,
                                  ended.tags,
                                  {{}, {}, schedule.zone().DayOf(ended.relationship_end), {}}});
      bool held = false;
      if (due != nullptr && anything_held) {
        COFFER_ASSIGN(const auto itself, store.FindClient(ended.client));
        held = itself && RetentionIsHeld(holds, restrictions, itself->id, itself->tags, {});
      }
      if (held) ++due->held;
      if (plan.listed().size() > listed.size()) listed.push_back({ended.client, {}, held});
      return true;
    }));
  }

  RetentionPreview preview;
  preview.schedule = stored.version;
  preview.at = at;
  preview.months = plan.months();
  for (const RetentionForecast& forecast : plan.Forecasts()) {
    RetentionCount count;
    count.class_name = forecast.class_name;
    count.policy = forecast.policy->name;
    if (!forecast.policy->keeps()) count.action = vault::NameOf(forecast.policy->action);
    count.records = forecast.records;
    count.kept = forecast.kept;
    count.not_begun = forecast.not_begun;
    count.unknown = forecast.unknown;
    count.due = forecast.due;
    count.held = forecast.held;
    count.later = forecast.later;
    count.by_month = forecast.by_month;
    preview.records += forecast.records;
    preview.due += forecast.due;
    preview.held += forecast.held;
    preview.counts.push_back(std::move(count));
  }
  for (std::size_t i = 0; i < listed.size(); ++i) {
    COFFER_ASSIGN(const auto owner, store.FindClient(listed[i].client));
    if (!owner) continue;  // gone since
    const RetentionPolicy& policy = *plan.listed()[i].policy;
    std::optional<RecordId> id;
    if (listed[i].record) {
      COFFER_ASSIGN(id, store.FindRecordId(*listed[i].record));
      if (!id) continue;
    }
    preview.listed.push_back({id, owner->id, policy.class_name, policy.name,
                              std::string(vault::NameOf(policy.action)), listed[i].held});
  }
  return preview;
}

}  // namespace

Result<StoredSchedule> Retention::GetRetentionSchedule(const Caller& caller,
                                                       std::optional<std::uint64_t> version) {
  Call call = operations_.Start(caller, {Action::kRetentionRead});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<StoredSchedule> {
    StoredSchedule schedule;
    const auto& newest = transaction.Of<CatalogState>().current().retention;
    if (!newest) return NotFound(call);
    if (!version || *version == newest->version) {
      schedule = InfoOf(*newest);
    } else {
      COFFER_ASSIGN(auto stored,
                    transaction.Of<CatalogState>().catalog_store.FindSchedule(*version));
      if (!stored) return NotFound(call);
      schedule = *std::move(stored);
    }
    call.entry.version = schedule.version;
    return schedule;
  });
}

Result<StoredSchedule> Retention::PutRetentionSchedule(const Caller& caller,
                                                       std::string_view definition) {
  auto parsed = ParseSchedule(definition,
                              operations_.engine().Of<CatalogState>().Published()->NewestClasses());
  if (auto faults = FaultsOfTexts(definition); parsed && !faults.empty()) {
    parsed =
        std::unexpected(Error{Code::kUnprocessable, "retention_invalid", {}, std::move(faults)});
  }
  if (!parsed) {
    return operations_.Refuse(caller, {Action::kRetentionWrite}, parsed.error());
  }
  const auto schedule = std::make_shared<ScheduleInForce>(0, Timestamp{}, *std::move(parsed));
  const std::string& canonical = schedule->schedule.definition();
  Call call = operations_.Start(caller, {Action::kRetentionWrite, OperationKind::kWrite});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<StoredSchedule> {
    const auto& newest = transaction.Of<CatalogState>().current().retention;
    if (newest && newest->schedule.definition() == canonical) {
      call.entry.version = newest->version;
      call.entry.outcome = "unchanged";
      return InfoOf(*newest);
    }
    COFFER_TRY(RequireEveryClass(transaction.Of<CatalogState>().current(), schedule->schedule));
    COFFER_TRY(two_person_.RequireApproval(
        transaction, call, {"retention.write", std::string(kScheduleTarget), canonical}));
    if (two_person_.needed()) {
      COFFER_TRY(RequireSameDates(transaction, call, schedule->schedule));
    }
    schedule->version = newest ? newest->version + 1 : 1;
    schedule->created = transaction.now();
    call.entry.version = schedule->version;
    call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(canonical));
    COFFER_TRY(transaction.Of<CatalogState>().catalog_store.InsertSchedule(
        schedule->version, canonical, transaction.now(), PeopleOf(transaction, call)));
    StoredSchedule stored = InfoOf(*schedule);
    Catalog catalog = transaction.Of<CatalogState>().current();
    catalog.retention = schedule;
    ReplaceCatalog(transaction, std::move(catalog));
    return stored;
  });
}

Result<RetentionPreview> Retention::PreviewRetention(const Caller& caller,
                                                     const RetentionPreviewRequest& request) {
  constexpr Action kAction = Action::kRetentionRead;
  if (request.months > RetentionPlan::kMaxMonths) {
    return operations_.Refuse(
        caller, {kAction},
        Error{Code::kUnprocessable, "preview_invalid", {}, {{"/months", "must be at most 600"}}});
  }
  // Decided before the work and again with the entry, which says how much was shown.
  std::shared_ptr<const ScheduleInForce> stored;
  RetentionDates dates;
  Timestamp at;
  const auto check = [&](Transaction& transaction, Call& call) -> Status {
    if (request.with_ids) {
      COFFER_ASSIGN(
          const auto decision,
          operations_.DecideFor(transaction, call, Action::kRetentionRun, std::nullopt, nullptr));
      if (!decision.allowed) {
        return Deny(call, "role", Code::kPermissionDenied, "permission_denied");
      }
    }
    if (!stored) {
      stored = transaction.Of<CatalogState>().current().retention;
      dates = RetentionDates(transaction.Of<CatalogState>().current());
    }
    if (!stored) return NotFound(call);
    call.entry.version = stored->version;
    COFFER_TRY(RequireZone(*stored));
    at = request.until.value_or(at.ms == 0 ? transaction.now() : at);
    return {};
  };
  Call asked = operations_.Start(caller, {.action = kAction, .entry = EntryRule::kOnRefusal});
  if (request.with_ids) asked.reason_rule = ReasonRule::kClients;
  COFFER_TRY(operations_.Perform(
      asked, [&](Transaction& transaction) -> Status { return check(transaction, asked); }));
  RetentionPreview preview;
  {
    COFFER_ASSIGN(auto reader, snapshots_.Open());
    COFFER_ASSIGN(preview, Forecast(*reader, *stored, dates, request, at));
  }
  Call call = operations_.Start(caller, {kAction});
  call.reason_rule = asked.reason_rule;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(check(transaction, call));
    call.entry.detail = "preview of " + std::to_string(preview.records) + " records, " +
                        std::to_string(preview.listed.size()) + " ids";
    return {};
  }));
  return preview;
}

Result<RetentionRun> Retention::StartRetentionRun(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kRetentionRun, OperationKind::kWrite});
  RunRow run;
  run.id = RunId::New(operations_.Now());
  run.trigger = audit::RunTrigger::kDemand;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    auto& store = transaction.Of<DeletionState>().stores.retention;
    const auto& schedule = transaction.Of<CatalogState>().current().retention;
    if (!schedule) return Fail(Code::kConflict, "no_schedule");
    COFFER_TRY(RequireZone(*schedule));
    if (!runner_.ClockStands(transaction.now())) {
      return Fail(Code::kConflict, "clock_unconfirmed");
    }
    COFFER_ASSIGN(const auto open, store.FindOpen());
    if (open) return Fail(Code::kConflict, "run_in_progress");
    run.schedule = schedule->version;
    run.asked_by = call.actor;
    run.started = transaction.now();
    run.first_seq = run.last_seq = transaction.NextSeq();
    call.entry.version = run.schedule;
    AddDetail(call.entry, run.id.Text());
    return store.Insert(run);
  }));
  runner_.Wake();
  return InfoOf(run);
}

Result<RetentionRun> Retention::GetRetentionRun(const Caller& caller, const RunId& id) {
  Call call = operations_.Start(caller, {Action::kRetentionRead});
  call.entry.detail = id.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<RetentionRun> {
    COFFER_ASSIGN(const auto row, transaction.Of<DeletionState>().stores.retention.Find(id));
    if (!row) return NotFound(call);
    return InfoOf(*row);
  });
}

Result<std::vector<RetentionRun>> Retention::ListRetentionRuns(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kRetentionRead});
  return operations_.Perform(
      call, [&](Transaction& transaction) -> Result<std::vector<RetentionRun>> {
        std::vector<RetentionRun> runs;
        COFFER_ASSIGN(const auto rows,
                      transaction.Of<DeletionState>().stores.retention.List(kMaxListedRuns));
        for (const RunRow& row : rows) runs.push_back(InfoOf(row));
        return runs;
      });
}

Result<std::string> Retention::ReadRunReport(const Caller& caller, const RunId& id,
                                             const DocumentRequest& request) {
  constexpr Action kAction = Action::kRetentionRead;
  const bool page = request.form == DocumentForm::kPage;
  if (!page && request.form != DocumentForm::kDocument) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kInvalidArgument, "format_unknown", {}, {}});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  call.entry.detail = id.Text();
  std::string note;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    auto& store = transaction.Of<DeletionState>().stores.retention;
    COFFER_ASSIGN(const auto row, store.Find(id));
    if (!row) return NotFound(call);
    if (!row->finished) return Fail(Code::kConflict, "run_in_progress");
    COFFER_ASSIGN(const auto before, store.FindReport(id));
    if (before) {
      note = *before;
      return {};
    }
    COFFER_ASSIGN(const auto schedule,
                  transaction.Of<CatalogState>().catalog_store.FindSchedule(row->schedule));
    if (!schedule) return Fail(Code::kCorrupted, "storage_corrupted", "a run's schedule");
    audit::RunReport report;
    report.version = row->report_version;
    report.run = row->id.Text();
    report.vault = crypto::Base32Encode(operations_.keyring().vault_id());
    report.schedule_version = row->schedule;
    report.schedule_hash = crypto::Sha256(crypto::AsBytes(schedule->definition));
    report.started = row->started;
    report.finished = *row->finished;
    report.trigger = row->trigger;
    if (row->asked_by) report.requested_by = row->asked_by->Text();
    report.clock = "trusted";  // a run waits for it
    if (report.version != 1) {
      const bool failed = row->state == RunState::kFailed;
      report.outcome = failed ? audit::RunOutcome::kFailed : audit::RunOutcome::kFinished;
      report.reason = row->reason;
      report.detail = row->detail;
      report.counted = row->counted;
    }
    for (const auto& [name, count] : row->counts) report.classes.push_back(count);
    report.log = operations_.keyring().log_origin();
    report.first_seq = row->first_seq;
    report.last_seq = row->last_seq;
    audit::FitRunReport(report);
    COFFER_ASSIGN(
        note, audit::WriteRunReport(report, report.log, *operations_.keyring().log_signing_key()));
    return store.PutReport(id, note);
  }));
  if (!page) return audit::AssembleRunReport(note);
  COFFER_ASSIGN(const auto report, audit::ParseRunReport(note));
  return audit::RunReportPage(report, note, request.language,
                              PageNamesOf(*operations_.engine().Of<CatalogState>().Published()));
}

Status Retention::ConfirmClock(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kClockConfirm, OperationKind::kWrite});
  bool confirmed = false;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    if (runner_.ClockStands(transaction.now())) {
      call.entry.outcome = "unchanged";
      return {};
    }
    const std::string today = FormatDay(static_cast<Day>(transaction.now().ms / kMsOfDay));
    call.entry.detail = today;
    COFFER_TRY(two_person_.RequireApproval(transaction, call, {"clock.confirm", today, {}}));
    confirmed = true;
    return RetentionRunner::StoreConfirmation(transaction);
  }));
  if (confirmed) runner_.ClockConfirmed();
  return {};
}

}  // namespace coffer::vault
