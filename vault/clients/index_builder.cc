#include "vault/clients/index_builder.h"

#include <algorithm>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "vault/access/operations.h"
#include "vault/base/operator_log.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/blind_tokens.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/index_options.h"
#include "vault/clients/index_status.h"
#include "vault/clients/record_operations.h"
#include "vault/clients/sealing_contexts.h"

namespace coffer::vault {
namespace {

using BuildClock = std::chrono::steady_clock;

constexpr std::int64_t kBuildDayMs = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kHorizonDays = 30;  // where none is configured
// Of one engine operation, so that no request waits long behind it.
constexpr std::chrono::milliseconds kBusyBuildStep{2}, kIdleBuildStep{20};
constexpr std::size_t kRowsAtOnce = 50;
constexpr std::int64_t kClearedAtOnce = 200;
constexpr std::size_t kMergedAtOnce = 16;
// While others ask, it rests for so many times as long as a step took.
constexpr int kRestsPerBuildStep = 20;
// The vault's own threads do fewer operations.
constexpr double kOthersPerSecond = 10;

std::int64_t HorizonMs(const IndexOptions& options) {
  return kBuildDayMs * (options.backup_horizon_days
                            ? static_cast<std::int64_t>(*options.backup_horizon_days)
                            : kHorizonDays);
}

bool SameIndexes(const ClassSchema& a, const ClassSchema& b) {
  const auto has = [](const ClassSchema& in, const Field& field) {
    const Field* const there = in.Find(field.name);
    return there != nullptr && there->indexed && MadeBy(*there) == MadeBy(field);
  };
  const auto all_in = [&](const ClassSchema& of, const ClassSchema& in) {
    return std::ranges::all_of(of.fields, [&](const Field& f) { return !f.indexed || has(in, f); });
  };
  return all_in(a, b) && all_in(b, a);
}

// One engine operation's share of a rebuild.
class IndexStep {
 public:
  IndexStep(const Operations& operations, Transaction& transaction, std::chrono::milliseconds time,
            std::size_t most)
      : operations_(operations),
        transaction_(transaction),
        index_(transaction.Of<ClientsState>().stores.index),
        state_(index_.state()),
        until_(BuildClock::now() + time),
        left_(most) {}

  // False: there are none after those that were done.
  Result<bool> Clients() {
    auto& store = transaction_.Of<ClientsState>().stores.clients;
    while (HasTime()) {
      COFFER_ASSIGN(const auto rows,
                    store.ListIndexed(state_.position, std::min(kRowsAtOnce, left_)));
      if (rows.empty()) return false;
      for (const ClientRow& row : rows) {
        COFFER_TRY(AddClient(row));
        if (!HasTime()) return true;
      }
    }
    return true;
  }
  Result<bool> Records() {
    auto& store = transaction_.Of<ClientsState>().stores.records;
    while (HasTime()) {
      COFFER_ASSIGN(auto rows, store.ListIndexed(state_.position, std::min(kRowsAtOnce, left_)));
      if (rows.empty()) return false;
      for (RecordRow& row : rows) {
        COFFER_TRY(AddRecord(row));
        if (!HasTime()) return true;
      }
    }
    return true;
  }
  IndexState& state() { return state_; }

 private:
  bool HasTime() const { return left_ > 0 && BuildClock::now() < until_; }

  void Passed(std::int64_t row) {
    state_.position = row;
    ++state_.done;
    left_ -= std::min<std::size_t>(left_, 1);
  }

  // What cannot be opened is found by nobody, and is not kept from being erased by it.
  Status AddClient(const ClientRow& row) {
    const auto pass = [&] { Passed(row.id.Row()); };
    if (row.ref.empty()) {
      pass();
      return {};
    }
    const auto& key = KeyOf(row.id, row.generation);
    if (!key) {
      pass();
      return Skippable(key);
    }
    const auto token = OpenReference(operations_.keyring(), key->Expose(), row.id, row.ref);
    if (!token) {
      pass();
      return {};
    }
    if (!IsSealed(row.ref)) {
      const Bytes sealed = SealReference(operations_.keyring(), key->Expose(), row.id, *token);
      COFFER_TRY(transaction_.Of<ClientsState>().stores.clients.PutRef(row.id.Row(), sealed));
    }
    pass();
    return index_.PutNextReference(row.id.Row(), *token);
  }

  Status AddRecord(RecordRow& row) {
    const auto pass = [&] { Passed(row.id.Row()); };
    const auto newest = transaction_.Of<CatalogState>().current().Newest(row.class_name);
    const auto indexes = [](const Field& field) { return field.indexed; };
    if (row.tokens.empty() && !row.import_token && newest &&
        std::ranges::none_of(newest->fields, indexes)) {
      pass();
      return {};
    }
    COFFER_TRY(FindOwner(row.client));
    if (!owner_) {
      pass();
      return {};
    }
    const auto& key = KeyOf(owner_->id, owner_->generation);
    if (!key) {
      pass();
      return Skippable(key);
    }
    if (!OpenTermsOf(operations_.keyring(), key->Expose(), owner_->id, row)) {
      pass();
      return {};
    }
    const bool was_sealed = IsSealed(row.tokens) || row.tokens.empty();
    IndexTerms terms = row.terms;
    // None: nothing is indexed of it, or what was did not open when it was sealed anew.
    const bool is_outdated = row.tokens.empty() || (newest && IsOutdated(row, *newest));
    if (newest && is_outdated) COFFER_TRY(MakeAnew(row, *newest, *key, terms));
    if (terms != row.terms || !was_sealed || row.import_token) {
      COFFER_TRY(transaction_.Of<ClientsState>().stores.records.PutTerms(
          row.id.Row(),
          SealTerms(operations_.keyring(), key->Expose(), owner_->id, row.id.value, terms)));
      if (terms.tokens != row.terms.tokens) {
        COFFER_TRY(index_.Remove(row.id.Row(), row.terms));
        COFFER_TRY(index_.Put(row.id.Row(), terms));
      }
    }
    pass();
    return index_.PutNext(row.id.Row(), terms);
  }

  bool IsOutdated(const RecordRow& row, const ClassSchema& newest) const {
    if (row.terms.rules != crypto::SearchRules()) return true;
    if (row.terms.class_version == newest.version) return false;
    const auto then =
        transaction_.Of<CatalogState>().current().Version(row.class_name, row.terms.class_version);
    return !then || !SameIndexes(*then, newest);
  }

  Status MakeAnew(const RecordRow& row, const ClassSchema& newest, const UnwrappedKeys& key,
                  IndexTerms& terms) {
    COFFER_ASSIGN(const Bytes payload,
                  transaction_.Of<ClientsState>().stores.records.ReadPayload(row.id.Row()));
    auto plain = key.Expose().Open(
        RecordContext(operations_.keyring(), owner_->id, row.id, row.class_name, row.version),
        payload);
    if (!plain) return {};  // damaged, as a read of it will tell
    const auto document = nlohmann::json::parse(crypto::AsText(*plain), nullptr, false);
    crypto::Wipe(*plain);
    IndexTerms made = TermsOf(operations_.keyring(), newest, IndexedValues(newest, document));
    made.import_token = terms.import_token;
    terms = std::move(made);
    return {};
  }

  Status FindOwner(std::int64_t client) {
    if (owner_ && owner_->id.Row() == client) return {};
    COFFER_ASSIGN(owner_, transaction_.Of<ClientsState>().stores.clients.FindRow(client));
    return {};
  }

  // The last one is kept: neighbours are often of one client.
  const Result<UnwrappedKeys>& KeyOf(const ClientId& client, std::uint64_t generation) {
    if (!key_ || key_of_ != client) {
      key_of_ = client;
      key_.emplace(transaction_.UnwrapKey({client, generation}));
    }
    return *key_;
  }
  static Status Skippable(const Result<UnwrappedKeys>& key) {
    if (key.error().code == Code::kUnavailable) return std::unexpected(key.error());
    return {};
  }

  const Operations& operations_;
  Transaction& transaction_;
  SearchIndex& index_;
  IndexState state_;
  const BuildClock::time_point until_;
  std::size_t left_;
  std::optional<ClientRow> owner_;
  ClientId key_of_{};
  std::optional<Result<UnwrappedKeys>> key_;
};

}  // namespace

IndexBuilder::~IndexBuilder() { Stop(); }

void IndexBuilder::Start() {
  if (options_.index_interval_ms == 0) return;
  try {
    thread_ = std::thread([this] { Loop(); });
  } catch (const std::system_error& error) {
    if (operations_.log()) {
      operations_.log()(Severity::kError,
                        std::string("no thread to rebuild the search index: ") + error.what());
    }
  }
}

void IndexBuilder::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::int64_t IndexBuilder::DueAfterMs(const IndexOptions& options) {
  return std::max(HorizonMs(options) / 3, kBuildDayMs);
}

std::int64_t IndexBuilder::OverdueAfterMs(const IndexOptions& options) {
  return std::max(HorizonMs(options), 2 * kBuildDayMs);
}

void IndexBuilder::Loop() {
  std::chrono::nanoseconds rest = std::chrono::milliseconds(options_.index_interval_ms);
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, rest, [this] { return stopping_; })) return;
    }
    const auto began = BuildClock::now();
    rest = std::chrono::milliseconds(options_.index_interval_ms);
    try {
      const auto done = Step();
      const auto took = BuildClock::now() - began;
      if (done && *done) rest = RestAfter(took);
      // What merges keeps up with who stores: else nothing more could wait.
      if (merging_) rest = took;
      std::string failure =
          done ? "" : std::string(done.error().reason) + " " + done.error().detail;
      if (!failure.empty() && failure != reported_ && operations_.log()) {
        operations_.log()(Severity::kWarning, "the search index is not rebuilt: " + failure);
      }
      reported_ = std::move(failure);
    } catch (const std::bad_alloc&) {
      // It goes on where the last step was committed.
    }
  }
}

std::chrono::nanoseconds IndexBuilder::RestAfter(std::chrono::nanoseconds step) {
  const auto now = BuildClock::now();
  const std::chrono::duration<double> passed = now - looked_at_operations_;
  if (passed >= std::chrono::seconds(1)) {
    const std::uint64_t operations = operations_.engine().Statistics().operations;
    const std::uint64_t all = operations - counted_;
    const auto others = static_cast<double>(all - std::min(own_operations_, all));
    busy_ = passed < std::chrono::seconds(5) && others > passed.count() * kOthersPerSecond;
    counted_ = operations;
    own_operations_ = 0;
    looked_at_operations_ = now;
  }
  return busy_ ? step * kRestsPerBuildStep : std::chrono::nanoseconds(0);
}

Status IndexBuilder::Run(audit::Entry* entry, FunctionRef<Status(Transaction&)> work) {
  audit::Entry none;
  ++own_operations_;
  return operations_.engine().Run(OperationKind::kWrite,
                                  entry != nullptr ? EntryRule::kAlways : EntryRule::kNever,
                                  entry != nullptr ? *entry : none, work);
}

bool IndexBuilder::ExchangeKeyOf(std::uint64_t generation) {
  const std::uint64_t live = operations_.engine().Of<ClientsState>().PublishedIndex().live;
  const bool wanted = live <= generation;
  unwanted_ = wanted ? live : 0;
  return wanted;
}

bool IndexBuilder::IsDue(const IndexState& state) const {
  if (!state.live_usable || state.lacks_fields) return true;
  // Its key is in the keyring, and cannot be destroyed.
  if (state.live == 0 || state.live == unwanted_.load()) return true;
  if (!state.uncovered) return false;
  const std::int64_t since = operations_.Now().ms - state.uncovered->ms;
  // By a clock that ran ahead: how long ago it was nobody knows.
  return since > DueAfterMs(options_) || since < -kBuildDayMs;
}

Result<bool> IndexBuilder::Step() {
  // What cannot be merged does not keep the index from being made anew, which may be what helps.
  const auto merged = Merge();
  merging_ = merged.value_or(false);
  if (merging_ && busy_ && !build_next_) {
    build_next_ = true;  // in turn, so that a request waits for one of them only
    return true;
  }
  build_next_ = false;
  const IndexState state = operations_.engine().Of<ClientsState>().PublishedIndex();
  const auto done = [&]() -> Status {
    switch (state.phase) {
      case IndexPhase::kIdle: {
        // Rows that nothing has any more, and that would be found again by the next generation.
        COFFER_ASSIGN(const bool cleared, ClearSome());
        return cleared ? Status{} : Begin();
      }
      case IndexPhase::kClients:
      case IndexPhase::kRecords:
        if (state.next && state.next_usable) {
          COFFER_ASSIGN(const bool sealed, SealSomeOlder());
          if (sealed) return {};
        }
        return state.next && state.next_usable ? Build() : Abandon();
      case IndexPhase::kRetiring:
        return Retire();
      case IndexPhase::kClearing:
        return Clear();
    }
    return {};
  };
  if (state.phase != IndexPhase::kIdle || IsDue(state)) {
    COFFER_TRY(done());
  } else if (!merging_) {
    COFFER_TRY(merged);
    return false;
  }
  COFFER_TRY(merged);
  return true;
}

Result<bool> IndexBuilder::Merge() {
  if (!operations_.engine().Of<ClientsState>().merge_is_due()) return false;
  const std::size_t most = options_.index_rows_per_step;
  bool merged = false;
  COFFER_TRY(Run(nullptr, [&](Transaction& transaction) -> Status {
    SearchIndex& index = transaction.Of<ClientsState>().stores.index;
    const auto until = BuildClock::now() + kBusyBuildStep;
    for (std::size_t done = 0; done < most && BuildClock::now() < until;) {
      const std::size_t some = std::min(kMergedAtOnce, most - done);
      COFFER_ASSIGN(const bool more, index.MergeSome(some));
      merged = merged || more;
      if (!more) break;
      done += some;
    }
    return {};
  }));
  return merged;
}

Status IndexBuilder::Begin() {
  audit::Entry entry = VaultEntry("index.rebuild");
  older_after_ = Id128{};
  return Run(&entry, [&](Transaction& transaction) -> Status {
    SearchIndex& index = transaction.Of<ClientsState>().stores.index;
    IndexState state = index.state();
    // Never one that any keys.db has had, and in the tables that are free.
    std::uint64_t next = std::max(state.live, state.newest_key) + 1;
    if (next % 2 == state.live % 2) ++next;
    state.next = next;
    state.phase = IndexPhase::kClients;
    state.position = std::numeric_limits<std::int64_t>::min();
    state.done = 0;
    state.begun = transaction.now();
    state.uncovered_next.reset();
    COFFER_TRY(index.BeginCoverage(transaction.Of<CatalogState>().current()));
    COFFER_TRY(index.Store(state));
    AddIndexKey(transaction, operations_.keyring(), next,
                crypto::SecretBytes::Random(crypto::kAeadKeyBytes));
    entry.detail = "generation " + std::to_string(next);
    if (state.live == unwanted_.load() && state.live != 0) entry.detail += "; asked for";
    return {};
  });
}

// Some more of what is from before its words were sealed, in the order of the ids: what has no key
// any more is passed over. After a restart from the first one on; what is sealed is no more among
// them. False: nothing was left, and the step has done nothing yet.
Result<bool> IndexBuilder::SealSomeOlder() {
  while (older_after_) {
    audit::Entry entry = VaultEntry("index.rebuild");
    OlderSealed done;
    COFFER_TRY(Run(&entry, [&](Transaction& transaction) -> Status {
      COFFER_ASSIGN(done, seal_older_(transaction, *older_after_));
      entry.detail = std::string(done.what) + std::to_string(done.sealed);
      if (done.sealed == 0) transaction.LeaveNoOwnEntry();
      return {};
    }));
    older_after_ = done.last;
    if (done.sealed > 0) return true;
  }
  return false;
}

// The key of what was being built is not there: keys.db is older than vault.db.
Status IndexBuilder::Abandon() {
  return Run(nullptr, [&](Transaction& transaction) -> Status {
    IndexState state = transaction.Of<ClientsState>().stores.index.state();
    state.next.reset();
    state.uncovered_next.reset();
    state.phase = IndexPhase::kClearing;
    IndexChanged(transaction);
    return transaction.Of<ClientsState>().stores.index.Store(state);
  });
}

Status IndexBuilder::Build() {
  audit::Entry entry = VaultEntry("index.exchange");
  const std::size_t most = options_.index_rows_per_step;
  return Run(&entry, [&](Transaction& transaction) -> Status {
    IndexStep step(operations_, transaction, busy_ ? kBusyBuildStep : kIdleBuildStep, most);
    SearchIndex& index = transaction.Of<ClientsState>().stores.index;
    IndexState& state = step.state();
    IndexChanged(transaction);
    const bool clients = state.phase == IndexPhase::kClients;
    COFFER_ASSIGN(const bool more, clients ? step.Clients() : step.Records());
    if (more || clients) {
      if (!more) {
        state.phase = IndexPhase::kRecords;
        state.position = std::numeric_limits<std::int64_t>::min();
      }
      transaction.LeaveNoOwnEntry();
      return index.Store(state);
    }
    const std::uint64_t before = state.live;
    state.live = *state.next;
    state.next.reset();
    state.phase = IndexPhase::kRetiring;
    state.rules = crypto::SearchRules();
    state.exchanged = transaction.now();
    state.uncovered = state.uncovered_next;
    state.uncovered_next.reset();
    COFFER_TRY(index.EndCoverage());
    entry.detail = "generation " + std::to_string(state.live) + " for " + std::to_string(before) +
                   "; " + std::to_string(state.done) + " clients and records";
    return index.Store(state);
  });
}

Status IndexBuilder::Retire() {
  const auto has_other = [](Transaction& transaction) -> Result<bool> {
    COFFER_ASSIGN(const auto keys, transaction.stores().keys.IndexKeys());
    const std::uint64_t live = transaction.Of<ClientsState>().stores.index.state().live;
    return std::ranges::any_of(keys, [&](const auto& key) { return key.first != live; });
  };
  bool others = false;
  COFFER_TRY(Run(nullptr, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(others, has_other(transaction));
    if (others) {
      RetireIndexKeys(transaction);
      return {};
    }
    SearchIndex& index = transaction.Of<ClientsState>().stores.index;
    IndexState state = index.state();
    state.phase = IndexPhase::kClearing;
    IndexChanged(transaction);
    return index.Store(state);
  }));
  if (!others) return {};
  COFFER_TRY(Run(nullptr, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(others, has_other(transaction));
    return {};
  }));
  if (!others) return {};
  // An error, so that the next try is not the next moment.
  return Fail(Code::kUnavailable, "index_key_kept", "the old key is still in keys.db");
}

Result<bool> IndexBuilder::ClearSome() {
  const auto most = std::min<std::int64_t>(kClearedAtOnce,
                                           static_cast<std::int64_t>(options_.index_rows_per_step));
  bool cleared = false;
  COFFER_TRY(Run(nullptr, [&](Transaction& transaction) -> Status {
    SearchIndex& index = transaction.Of<ClientsState>().stores.index;
    COFFER_ASSIGN(cleared, index.ClearSome(index.state().live + 1, most));
    return {};
  }));
  return cleared;
}

Status IndexBuilder::Clear() {
  COFFER_ASSIGN(const bool cleared, ClearSome());
  if (cleared) return {};
  return Run(nullptr, [&](Transaction& transaction) -> Status {
    SearchIndex& index = transaction.Of<ClientsState>().stores.index;
    IndexState state = index.state();
    state.phase = IndexPhase::kIdle;
    IndexChanged(transaction);
    return index.Store(state);
  });
}

IndexStatus IndexBuilder::status() const {
  const IndexState state = operations_.engine().Of<ClientsState>().PublishedIndex();
  IndexStatus status;
  status.generation = state.live;
  status.whole = state.live_usable && state.fields_whole;
  status.building = state.building();
  status.built = state.building() ? state.done : 0;
  status.retiring = state.phase == IndexPhase::kRetiring || state.phase == IndexPhase::kClearing;
  status.exchanged = state.exchanged;
  status.oldest_uncovered = state.uncovered;
  if (state.uncovered) {
    status.due = Timestamp{state.uncovered->ms + DueAfterMs(options_)};
    status.overdue = operations_.Now().ms - state.uncovered->ms > OverdueAfterMs(options_);
  }
  return status;
}

}  // namespace coffer::vault
