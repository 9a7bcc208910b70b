#include "vault/deletion/retention_runner.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <new>
#include <utility>

#include "audit/documents/erasure_scope.h"
#include "vault/base/operator_log.h"
#include "vault/catalog/catalog_state.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/erase.h"
#include "vault/deletion/erasure_procedure.h"
#include "vault/deletion/retention_count.h"
#include "vault/deletion/retention_days.h"
#include "vault/deletion/retention_run.h"
#include "vault/engine/engine.h"
#include "vault/rights/request_purge.h"

namespace coffer::vault {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kSeenSetting = "clock-seen";
constexpr std::string_view kUnconfirmedSetting = "clock-unconfirmed";
constexpr std::int64_t kSeenEveryMs = 60 * 1000;
constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
constexpr std::chrono::milliseconds kTick{200};

// Of one engine operation, so that no request waits long behind it; and of one that nobody waits
// for: each one costs several syncs.
struct StepLimits {
  std::uint64_t work;  // records that are erased or sealed again
  std::chrono::milliseconds time;
};
constexpr StepLimits kBusyStep{200, std::chrono::milliseconds(5)};
constexpr StepLimits kIdleStep{2000, std::chrono::milliseconds(50)};
// While others ask, a run rests for so many times as long as a step took with its syncs: then fewer
// than one in a hundred requests meet one.
constexpr int kRestsPerStep = 20;
constexpr std::size_t kMostIncomplete = 1000;
constexpr std::size_t kMostIncompleteBusy = 40;
// Of one look at the snapshot: it holds up the WAL no longer than that.
constexpr std::size_t kMostClients = 2000;
constexpr std::uint64_t kMostScanned = 100'000;
// Records whose days are read anew in one step.
constexpr std::size_t kBusyDays = 32;
constexpr std::size_t kIdleDays = 512;
constexpr std::chrono::milliseconds kDaysPerTick{500};
// The vault's own threads do fewer operations.
constexpr std::uint64_t kBusyPerSecond = 10;

std::string SumsOf(const RunRow& run) {
  audit::RunClass sum;
  for (const auto& [name, count] : run.counts) {
    sum.due += count.due;
    sum.erased += count.erased;
    sum.restricted += count.restricted;
    sum.review += count.review;
    sum.held += count.held;
    sum.failed += count.failed;
    sum.waiting += count.waiting;
    sum.unreached += count.unreached;
    sum.unknown += count.unknown;
  }
  const auto also = [](std::string_view what, std::uint64_t count) {
    return count == 0 ? "" : ", " + std::string(what) + " " + std::to_string(count);
  };
  return "due " + std::to_string(sum.due) + ", erased " + std::to_string(sum.erased) +
         ", restricted " + std::to_string(sum.restricted) + ", for review " +
         std::to_string(sum.review) + ", held " + std::to_string(sum.held) + ", failed " +
         std::to_string(sum.failed) + also("waiting", sum.waiting) +
         also("not reached", sum.unreached) + also("without a calendar", sum.unknown) +
         (run.counted ? "" : ", the rest is not known");
}

}  // namespace

Result<std::unique_ptr<RetentionRunner>> RetentionRunner::Create(const ErasureProcedure& procedure,
                                                                 Database reader) {
  std::unique_ptr<RetentionRunner> runner(new RetentionRunner(procedure));
  runner->reader_ = std::move(reader);
  COFFER_ASSIGN(runner->store_, RetentionStore::Open(runner->reader_));
  COFFER_ASSIGN(auto settings, SettingStore::Open(runner->reader_));
  COFFER_ASSIGN(const auto seen, settings.Find(kSeenSetting));
  if (seen) {
    std::int64_t ms = 0;
    const auto parsed = std::from_chars(seen->data(), seen->data() + seen->size(), ms);
    // What cannot be read is no reason to trust the clock: as far from it as can be.
    if (parsed.ec != std::errc{}) ms = 0;
    runner->seen_ = ms;
    runner->stored_seen_ = Timestamp{ms};
  }
  COFFER_ASSIGN(const auto unconfirmed, settings.Find(kUnconfirmedSetting));
  runner->waiting_ = unconfirmed && !unconfirmed->empty();
  COFFER_ASSIGN(const auto open, runner->store_.FindOpen());
  runner->open_ = open.has_value();
  COFFER_ASSIGN(const auto last, runner->store_.FindLastScheduled());
  if (last) runner->last_scheduled_ = last->ms / kDayMs;
  return runner;
}

RetentionRunner::RetentionRunner(const ErasureProcedure& procedure)
    : procedure_(procedure),
      operations_(procedure.operations()),
      days_(std::make_unique<RetentionDays>(operations_)) {}

RetentionRunner::~RetentionRunner() { Stop(); }

void RetentionRunner::Start() {
  if (auto looked = LookAtClock(); !looked && operations_.log()) {
    operations_.log()(Severity::kWarning, "the time was not stored: " + looked.error().detail);
  }
  const auto schedule = operations_.engine().Of<CatalogState>().Published()->retention;
  if (schedule && !schedule->schedule.zone_is_known()) {
    const std::string& zone = schedule->schedule.time_zone();
    if (auto said = operations_.LogSystemEvent("retention.paused", "time_zone_unknown", zone);
        !said && operations_.log()) {
      operations_.log()(Severity::kWarning, "the log has no entry of it: " + said.error().detail);
    }
    if (operations_.log()) {
      operations_.log()(Severity::kWarning,
                        "this machine has no time zone " + zone +
                            ", which the retention schedule names; nothing is deleted by it until "
                            "the machine has it at a start (package tzdata-legacy), or another "
                            "schedule is put in force");
    }
  }
  thread_ = std::thread([this] { Loop(); });
}

void RetentionRunner::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  stored_seen_.reset();
  if (auto looked = LookAtClock(); !looked && operations_.log()) {
    operations_.log()(Severity::kWarning, "the time was not stored: " + looked.error().detail);
  }
}

void RetentionRunner::Wake() {
  open_ = true;
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

bool RetentionRunner::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool RetentionRunner::ClockStands(Timestamp now) const {
  if (waiting_.load(std::memory_order_acquire)) return false;
  const std::int64_t seen = seen_.load(std::memory_order_acquire);
  const std::int64_t most = std::int64_t{procedure_.options().clock_jump_threshold_s} * 1000;
  return seen < 0 || (now.ms - seen <= most && seen - now.ms <= most);
}

Status RetentionRunner::StoreConfirmation(Transaction& transaction) {
  return transaction.stores().settings.Put(kUnconfirmedSetting, "");
}

void RetentionRunner::ClockConfirmed() {
  // Also of a jump that nobody has looked at yet.
  seen_.store(operations_.Now().ms, std::memory_order_release);
  waiting_ = false;
  Wake();
}

void RetentionRunner::Loop() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kTick, [this] { return stopping_ || woken_; });
      if (stopping_) return;
      woken_ = false;
    }
    try {
      reader_.FollowNow();
      const auto done = Tick();
      std::string failure =
          done ? "" : std::string(done.error().reason) + " " + done.error().detail;
      if (!failure.empty() && failure != reported_ && operations_.log()) {
        operations_.log()(Severity::kWarning, "retention does not go on: " + failure);
      }
      reported_ = std::move(failure);
    } catch (const std::bad_alloc&) {
      // A run goes on where its last step was committed.
      running_ = false;
      open_ = true;
    }
  }
}

Status RetentionRunner::Tick() {
  COFFER_TRY(LookAtClock());
  IsBusy();
  if (operations_.engine().TakeDestroyedLate()) {
    if (auto completed = procedure_.CompleteInterruptedErasures(); !completed) {
      operations_.engine().PutBackDestroyedLate();
      return completed;
    }
  }
  COFFER_TRY(BeginScheduled());
  COFFER_TRY(ReadDays());
  return GoOn();
}

// Deletion waits from the moment on at which the jump is seen, whether that can be stored or not.
Status RetentionRunner::LookAtClock() {
  const Timestamp now = operations_.Now();
  const Timestamp seen{seen_.load(std::memory_order_acquire)};
  const std::int64_t most = std::int64_t{procedure_.options().clock_jump_threshold_s} * 1000;
  const bool jumped = seen.ms >= 0 && (now.ms - seen.ms > most || seen.ms - now.ms > most);
  const bool due = !stored_seen_ || now.ms - stored_seen_->ms >= kSeenEveryMs ||
                   stored_seen_->ms - now.ms >= kSeenEveryMs;
  const std::string time = std::to_string(now.ms);
  if (jumped) {
    waiting_ = true;
    const std::string how = (now > seen ? "ahead by " : "behind by ") +
                            std::to_string(std::abs(now.ms - seen.ms) / 1000) + " s";
    audit::Entry entry = VaultEntry("clock.jump");
    entry.detail = how;
    COFFER_TRY(operations_.Record(std::move(entry), [&](Transaction& transaction) -> Status {
      if (seen_.load() != seen.ms) {  // confirmed meanwhile
        transaction.LeaveNoOwnEntry();
        return {};
      }
      auto& settings = transaction.stores().settings;
      COFFER_TRY(settings.Put(kUnconfirmedSetting, how));
      return settings.Put(kSeenSetting, time);
    }));
    if (seen_.load() != seen.ms) {
      waiting_ = false;
      return {};
    }
    if (operations_.log()) {
      operations_.log()(Severity::kWarning, "the clock is " + how +
                                                "; retention erases nothing until two people "
                                                "confirm it ('coffer clock confirm' says how)");
    }
  } else if (due) {
    COFFER_TRY(operations_.Store([&](Transaction& transaction) -> Status {
      return transaction.stores().settings.Put(kSeenSetting, time);
    }));
  }
  seen_.store(now.ms, std::memory_order_release);
  if (jumped || due) stored_seen_ = now;
  return {};
}

Status RetentionRunner::ReadDays() {
  const auto until = SteadyClock::now() + kDaysPerTick;
  for (;;) {
    own_operations_ += 2;
    COFFER_ASSIGN(const bool more, days_->Step(store_, busy_ ? kBusyDays : kIdleDays));
    if (!more || busy_ || stopping() || SteadyClock::now() >= until) return {};
    IsBusy();
  }
}

// At the given minute of each day, or as soon after it as can be. Where no run was ever scheduled,
// a minute that has passed already is not made up for.
Status RetentionRunner::BeginScheduled() {
  if (!procedure_.options().retention_minute || waiting_) return {};
  const Timestamp now{seen_.load(std::memory_order_acquire)};
  const std::int64_t day = now.ms / kDayMs;
  const bool reached =
      now.ms % kDayMs / 60'000 >= static_cast<std::int64_t>(*procedure_.options().retention_minute);
  if (!last_scheduled_) last_scheduled_ = reached ? day : day - 1;
  last_scheduled_ = std::min(*last_scheduled_, day);  // the clock was put back
  if (day == *last_scheduled_ || !reached) return {};
  const auto schedule = operations_.engine().Of<CatalogState>().Published()->retention;
  if (!schedule || open_) {
    last_scheduled_ = day;
    return {};
  }
  RunRow run;
  run.id = RunId::New(now);
  run.schedule = schedule->version;
  audit::Entry entry = VaultEntry(Name(Action::kRetentionRun));
  entry.detail = run.id.Text();
  entry.version = run.schedule;
  COFFER_TRY(operations_.Record(std::move(entry), [&](Transaction& transaction) -> Status {
    run.started = transaction.now();
    run.first_seq = run.last_seq = transaction.NextSeq();
    return transaction.Of<DeletionState>().stores.retention.Insert(run);
  }));
  last_scheduled_ = day;
  open_ = true;
  return {};
}

// Nobody decides about the single erasures of a run: whoever asked for it, and those who put the
// schedule into force, did.
Result<std::string> RetentionRunner::FindPeople(const RunRow& run) {
  std::string found;
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(auto people,
                  transaction.Of<CatalogState>().catalog_store.FindSchedulePeople(run.schedule));
    if (run.asked_by) {
      std::erase(people, *run.asked_by);
      people.insert(people.begin(), *run.asked_by);
    }
    found = PeopleText(transaction, people);
    return {};
  }));
  return found;
}

Status RetentionRunner::SetState(RunRow& run, RunState state) {
  if (run.state == state) return {};
  RunRow changed = run;
  changed.state = state;
  COFFER_TRY(operations_.Store([&](Transaction& transaction) -> Status {
    return transaction.Of<DeletionState>().stores.retention.Update(changed);
  }));
  run = std::move(changed);
  return {};
}

Status RetentionRunner::Finish(RunRow& run, RunState state, std::string_view reason) {
  audit::Entry entry = VaultEntry("retention.finish");
  entry.version = run.schedule;
  if (!reason.empty()) entry.outcome = reason;
  run.reason = reason;
  bool stopped = false;
  COFFER_TRY(CountRest(run, state == RunState::kFailed, stopped));
  if (stopped) return {};  // the next start ends it
  run.state = state;
  entry.detail = run.id.Text() + ": " + SumsOf(run);
  open_ = false;  // before it is: the next run may begin as soon as this one has ended
  const Status finished =
      operations_.Record(std::move(entry), [&](Transaction& transaction) -> Status {
        // The clock may be confirmed to be earlier than it was.
        run.finished = std::max(run.started, transaction.now());
        run.last_seq = transaction.NextSeq();
        auto& store = transaction.Of<DeletionState>().stores.retention;
        COFFER_TRY(state == RunState::kFinished ? store.PurgeReviewsBut(run.first_seq)
                                                : store.PurgeReviews());
        return store.Update(run);
      });
  if (!finished) open_ = true;
  COFFER_TRY(finished);
  if (operations_.log()) {
    operations_.log()(state == RunState::kFailed ? Severity::kWarning : Severity::kInfo,
                      "retention " + run.id.Text() + ": " + SumsOf(run) +
                          (reason.empty() ? "" : "; failed: " + std::string(reason)));
  }
  return {};
}

Status RetentionRunner::GoOn() {
  // Before looking: a run that begins meanwhile says so, and that is not to be undone.
  if (!open_.exchange(false)) return {};
  std::optional<RunRow> run;
  const Status looked = operations_.Look([&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(run, transaction.Of<DeletionState>().stores.retention.FindOpen());
    return {};
  });
  if (looked && !run) return {};
  open_ = true;
  COFFER_TRY(looked);
  if (waiting_) return SetState(*run, RunState::kWaiting);
  COFFER_TRY(SetState(*run, RunState::kRunning));
  if (const auto why = WhyNot(*run); !why.empty()) return Finish(*run, RunState::kFailed, why);
  // What is due by another field than before is found only when its day was read.
  if (!days_->done()) return {};
  const auto catalog = operations_.engine().Of<CatalogState>().Published();
  const auto schedule = catalog->retention;
  if (!schedule || schedule->version != run->schedule) return {};  // seen the next time
  COFFER_ASSIGN(std::string people, FindPeople(*run));
  running_ = true;
  // A run that began while the clock ran ahead goes by the time that was confirmed since.
  RetentionTreatment treatment(
      procedure_, RetentionDecisions(schedule, *catalog, std::min(run->started, operations_.Now())),
      std::move(people));
  bool ended = false;
  auto gone = GoThrough(*run, treatment, ended);
  running_ = false;
  if (auto completed = Complete(0); gone && !completed) gone = std::move(completed);
  if (!gone && gone.error().reason == "schedule_changed") {
    return Finish(*run, RunState::kFailed, "schedule_changed");
  }
  COFFER_TRY(gone);
  if (!ended) return {};
  COFFER_TRY(PurgeRequests(operations_, run->started));
  return Finish(*run, RunState::kFinished, {});
}

std::string_view RetentionRunner::WhyNot(RunRow& run) const {
  const auto schedule = operations_.engine().Of<CatalogState>().Published()->retention;
  if (!schedule || schedule->version != run.schedule) return "schedule_changed";
  if (!schedule->schedule.zone_is_known()) {
    run.detail = schedule->schedule.time_zone();
    return "time_zone_unknown";
  }
  if (!MissingDetails(procedure_.options().operator_details).empty()) return "operator_incomplete";
  return {};
}

// As it was when the run began, whichever is in force by now.
Result<std::shared_ptr<const ScheduleInForce>> RetentionRunner::ScheduleOf(const RunRow& run) {
  const auto catalog = operations_.engine().Of<CatalogState>().Published();
  if (catalog->retention && catalog->retention->version == run.schedule) return catalog->retention;
  std::optional<StoredSchedule> stored;
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(stored, transaction.Of<CatalogState>().catalog_store.FindSchedule(run.schedule));
    return {};
  }));
  if (!stored) return Fail(Code::kCorrupted, "storage_corrupted", "a run's schedule");
  COFFER_ASSIGN(auto schedule, ReadStoredSchedule(stored->definition, catalog->NewestClasses()));
  return std::make_shared<const ScheduleInForce>(stored->version, stored->created,
                                                 std::move(schedule));
}

Status RetentionRunner::CountRest(RunRow& run, bool failed, bool& stopped) {
  const auto schedule = ScheduleOf(run);
  if (!schedule && schedule.error().code != Code::kCorrupted &&
      schedule.error().code != Code::kUnprocessable) {
    return std::unexpected(schedule.error());
  }
  if (!schedule || !(*schedule)->schedule.zone_is_known()) {
    run.counted = !failed;
    return {};
  }
  const RetentionDecisions decisions(*schedule,
                                     *operations_.engine().Of<CatalogState>().Published(),
                                     std::min(run.started, operations_.Now()));
  if (!failed && !decisions.CountsWorkingDays()) return {};
  RunRow counted = run;
  COFFER_ASSIGN(
      const bool whole,
      vault::CountRest(store_, decisions, failed, [this] { return stopping(); }, counted));
  stopped = !whole;
  if (whole) run = std::move(counted);
  return {};
}

Status RetentionRunner::LookForDue(const RetentionDecisions& decisions, std::int64_t after,
                                   Slice& slice) {
  std::vector<std::int64_t> owners;
  std::uint64_t scanned = 0;
  std::optional<RetentionClient> client;
  slice.last = after;
  COFFER_TRY(store_.Scan(after, [&](const RetentionSubject& subject) -> Result<bool> {
    if (subject.client != slice.last) {
      if (slice.clients.size() >= kMostClients || scanned >= kMostScanned) {
        slice.whole = false;
        return false;
      }
      slice.last = subject.client;
      owners.push_back(subject.client);
      COFFER_ASSIGN(client, store_.FindClient(subject.client));
    }
    ++scanned;
    if (client && (slice.clients.empty() || slice.clients.back() != slice.last) &&
        decisions.PolicyIfDue(subject, *client) != nullptr) {
      slice.clients.push_back(slice.last);
    }
    return true;
  }));
  if (!decisions.HasClientPolicies()) return {};
  return LookForEmpty(decisions, after, owners, slice);
}

Status RetentionRunner::LookForEmpty(const RetentionDecisions& decisions, std::int64_t after,
                                     std::span<const std::int64_t> owners, Slice& slice) {
  std::vector<std::int64_t> empty;
  std::uint64_t scanned = 0;
  std::int64_t last = after;
  auto owner = owners.begin();
  const std::int64_t until = slice.whole ? std::numeric_limits<std::int64_t>::max() : slice.last;
  RetentionClient client;
  COFFER_TRY(store_.ScanEnded(after, until, [&](const EndedClient& ended) -> Result<bool> {
    if (empty.size() >= kMostClients || scanned >= kMostScanned) {
      // The slice ends here, for those that own records as well.
      slice.whole = false;
      slice.last = last;
      return false;
    }
    ++scanned;
    last = ended.client;
    while (owner != owners.end() && *owner < last) ++owner;
    if (owner != owners.end() && *owner == last) return true;
    client.relationship_end = ended.relationship_end;
    client.tags = ended.tags;
    if (decisions.PolicyIfDue(client) != nullptr) empty.push_back(last);
    return true;
  }));
  if (!slice.whole) std::erase_if(slice.clients, [&](auto row) { return row > slice.last; });
  const auto middle = static_cast<std::ptrdiff_t>(slice.clients.size());
  slice.clients.insert(slice.clients.end(), empty.begin(), empty.end());
  std::inplace_merge(slice.clients.begin(), slice.clients.begin() + middle, slice.clients.end());
  return {};
}

Status RetentionRunner::GoThrough(RunRow& run, RetentionTreatment& treatment, bool& ended) {
  std::int64_t after = run.position;
  while (!ended) {
    // What is to be done about them is decided in the transaction.
    Slice slice;
    COFFER_TRY(LookForDue(treatment.decisions(), after, slice));
    after = slice.last;
    for (std::size_t at = 0; at < slice.clients.size();) {
      if (stopping()) return {};
      COFFER_TRY(LookAtClock());
      if (waiting_) return {};
      TreatedClients treated;
      const auto began = SteadyClock::now();
      COFFER_TRY(Treat(run, treatment, std::span(slice.clients).subspan(at), treated));
      at += treated.clients;
      const std::chrono::duration<double> rest = (SteadyClock::now() - began) * kRestsPerStep;
      COFFER_TRY(Rest(std::max(
          treated.work, static_cast<std::uint64_t>(rest.count() *
                                                   procedure_.options().retention_records_per_s))));
    }
    run.position = after;
    ended = slice.whole;
    if (stopping() && !ended) return {};
  }
  return {};
}

// What cannot be treated with others is tried alone, so that one client that is damaged does not
// keep the others.
Status RetentionRunner::Treat(RunRow& run, RetentionTreatment& treatment,
                              std::span<const std::int64_t> clients, TreatedClients& treated) {
  auto status = TreatTogether(run, treatment, clients, true, treated);
  const auto is_final = [](const Status& result) {
    return result || result.error().code == Code::kUnavailable ||
           result.error().reason == "schedule_changed";
  };
  if (!is_final(status)) {
    treated = {};
    status = TreatTogether(run, treatment, clients.first(1), true, treated);
    if (!is_final(status)) {
      if (operations_.log()) {
        operations_.log()(Severity::kError, "retention could not erase from a client: " +
                                                std::string(status.error().reason) + " " +
                                                status.error().detail);
      }
      treated = {};
      status = TreatTogether(run, treatment, clients.first(1), false, treated);
      if (!is_final(status)) status = PassOver(run, treatment, clients.front(), treated);
    }
  }
  COFFER_TRY(status);
  if (treated.waits_for) procedure_.turns().AwaitFree(*treated.waits_for);
  if (treated.erasures.empty()) return {};
  erased_.fetch_add(treated.records, std::memory_order_relaxed);
  // Whoever was answered before still holds the key while decrypting; after this, nobody does.
  for (const ErasureRow& row : treated.erasures)
    operations_.engine().key_cache().AwaitWiped(row.client);
  std::ranges::move(treated.erasures, std::back_inserter(incomplete_));
  return Complete(busy_ ? kMostIncompleteBusy : kMostIncomplete);
}

Status RetentionRunner::PassOver(RunRow& run, const RetentionTreatment& treatment,
                                 std::int64_t client, TreatedClients& treated) {
  RunRow changed;
  const auto pass = [&](bool counts) {
    ++own_operations_;
    return operations_.Store([&](Transaction& transaction) -> Status {
      changed = run;
      changed.position = client;
      if (counts) {
        COFFER_TRY(treatment.CountAsFailed(transaction, changed, client));
      } else {
        audit::RunClass& count = changed.CountOf(audit::kClientItself);
        ++count.due;
        ++count.failed;
      }
      return transaction.Of<DeletionState>().stores.retention.Update(changed);
    });
  };
  Status passed = pass(true);
  if (!passed && passed.error().code != Code::kUnavailable) passed = pass(false);
  COFFER_TRY(passed);
  run = std::move(changed);
  treated = {};
  treated.clients = 1;
  return {};
}

Status RetentionRunner::Complete(std::size_t most_left) {
  while (incomplete_.size() > most_left) {
    const std::size_t count =
        std::min(incomplete_.size(), busy_ ? kMostIncompleteBusy : kMostIncomplete);
    ++own_operations_;
    COFFER_TRY(procedure_.CompleteErasures(std::span(incomplete_).first(count)));
    incomplete_.erase(incomplete_.begin(),
                      incomplete_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return {};
}

Status RetentionRunner::TreatTogether(RunRow& run, RetentionTreatment& treatment,
                                      std::span<const std::int64_t> clients, bool erase,
                                      TreatedClients& treated) {
  RunRow changed;
  audit::Entry entry = VaultEntry(kRetentionErase);
  ++own_operations_;
  auto status = operations_.Record(std::move(entry), [&](Transaction& transaction) -> Status {
    const auto& current = transaction.Of<CatalogState>().current().retention;
    if (!current || current->version != treatment.decisions().version()) {
      return Fail(Code::kConflict, "schedule_changed");
    }
    treatment.Follow(transaction.Of<CatalogState>().current());
    transaction.LeaveNoOwnEntry();
    procedure_.ledger().DropPrepared();
    changed = run;
    const auto began = SteadyClock::now();
    const StepLimits& limits = busy_ ? kBusyStep : kIdleStep;
    for (const std::int64_t client : clients) {
      COFFER_TRY(treatment.Treat(transaction, changed, client, erase, treated));
      if (treated.unfinished) break;
      changed.position = client;
      ++treated.clients;
      if (treated.work >= limits.work || SteadyClock::now() - began >= limits.time) break;
    }
    return transaction.Of<DeletionState>().stores.retention.Update(changed);
  });
  if (!status) {
    treatment.DropSteps();
    return status;
  }
  run = std::move(changed);
  return {};
}

bool RetentionRunner::IsBusy() {
  const auto now = SteadyClock::now();
  const std::chrono::duration<double> passed = now - looked_at_operations_;
  if (passed < std::chrono::seconds(1)) return busy_;
  const std::uint64_t operations = operations_.engine().Statistics().operations;
  const std::uint64_t others =
      operations - counted_ - std::min(own_operations_, operations - counted_);
  // Long ago says nothing of now.
  busy_ = passed < std::chrono::seconds(5) &&
          static_cast<double>(others) > passed.count() * static_cast<double>(kBusyPerSecond);
  counted_ = operations;
  own_operations_ = 0;
  looked_at_operations_ = now;
  return busy_;
}

Status RetentionRunner::Rest(std::uint64_t work) {
  if (!IsBusy() || procedure_.options().retention_records_per_s == 0) return {};
  const auto rest = std::chrono::nanoseconds(std::chrono::seconds(1)) *
                    static_cast<std::int64_t>(work) /
                    static_cast<std::int64_t>(procedure_.options().retention_records_per_s);
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, rest, [this] { return stopping_; });
  return {};
}

}  // namespace coffer::vault
