#include "vault/engine/engine.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <climits>
#include <iterator>
#include <new>

#include "audit/entries/log_reader.h"
#include "vault/base/operator_log.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/hold.h"
#include "vault/deletion/hold_text.h"
#include "vault/engine/statistics.h"

namespace coffer::vault {
namespace {

// A checkpoint of this many frames takes a few milliseconds: small steps, so that no request waits
// long behind one.
constexpr int kWalStep = 1000;
// So far back a start looks for the last entry that says what the committed state is.
constexpr std::uint64_t kStateKnownEvery = 4096;
// Between two tries at the WAL that a reader holds; and after one that the storage refused, which
// is told once an hour.
constexpr std::chrono::milliseconds kTruncateEvery{100};
constexpr std::chrono::milliseconds kTruncateAfterFailure{10'000};
constexpr std::chrono::hours kTellAgainAfter{1};
constexpr std::int64_t kIdempotencyLifetimeMs = 24 * 3600 * 1000;
constexpr std::int64_t kPurgeIntervalMs = 60 * 1000;
// So long a purge waits for a moment without requests.
constexpr std::int64_t kPurgeLatestMs = 10 * kPurgeIntervalMs;
constexpr std::int64_t kPurgeOnMs = 1000;  // between portions, while requests come
constexpr std::int64_t kSeenIntervalMs = 60 * 1000;
// While somebody reads keys.db, a try takes a tenth of the engine's time at most.
constexpr int kDestroyPatienceMs = 20;
constexpr std::chrono::milliseconds kDestroyAgainAfter{200};
constexpr std::int64_t kMsPerHour = 3600 * 1000;

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 &&
              std::atomic<std::uint32_t>::is_always_lock_free);  // it is a futex word

// By what the clock guard stored last (retention_runner.h): lately, and without a jump.
Result<bool> ClockStands(SettingStore& settings, Timestamp now) {
  constexpr std::int64_t kLatelyMs = 10 * 60 * 1000;
  COFFER_ASSIGN(const auto unconfirmed, settings.Find("clock-unconfirmed"));
  COFFER_ASSIGN(const auto seen, settings.Find("clock-seen"));
  if (!seen || (unconfirmed && !unconfirmed->empty())) return false;
  std::int64_t ms = 0;
  std::from_chars(seen->data(), seen->data() + seen->size(), ms);
  return std::abs(now.ms - ms) <= kLatelyMs;
}

}  // namespace

Stores& Transaction::stores() { return *engine_.stores_; }

const Catalog& Transaction::catalog() const { return *engine_.current_catalog_; }

const AccessRegister& Transaction::access() const { return engine_.access_; }

const HoldRegister& Transaction::holds() const { return engine_.holds_; }

const RestrictionRegister& Transaction::restrictions() const { return engine_.restrictions_; }

const PrincipalRegister& Transaction::principals() const { return engine_.principals_; }

Status Transaction::Touch(const TokenRow& session, Timestamp now) {
  TokenRow* const row = engine_.principals_.FindToken(session.digest);
  if (row == nullptr) return {};
  // A little earlier: another request's. Much earlier: the clock was put back, and what it said
  // before must not keep the session open for longer.
  if (now <= row->seen && row->seen.ms - now.ms < kSeenIntervalMs) return {};
  row->seen = now;
  if (std::abs(now.ms - row->seen_stored.ms) < kSeenIntervalMs) return {};
  row->seen_stored = now;
  return stores().principals.Update(*row);
}

Result<PinnedKeys> Transaction::PinKey(const ClientId& client) {
  // Erased earlier in this very batch: its key is still in keys.db until the commit.
  if (engine_.dying_.contains(client)) return Fail(Code::kNotFound, "not_found");
  const auto unwrap = [&](std::uint64_t generation,
                          std::span<std::uint8_t> slot) -> Result<std::uint64_t> {
    COFFER_ASSIGN(const auto wrapped, engine_.stores_->keys.Find({client, generation}));
    if (!wrapped) return Fail(Code::kNotFound, "not_found");
    COFFER_TRY(engine_.keyring_->UnwrapDataKey(*wrapped, client.value, slot));
    return generation;
  };
  COFFER_ASSIGN(auto current,
                engine_.cache_->FindOrInsert(
                    client, [&](std::span<std::uint8_t> slot) -> Result<std::uint64_t> {
                      COFFER_ASSIGN(const auto generation,
                                    engine_.stores_->clients.FindGeneration(client));
                      return unwrap(generation.value_or(0), slot);
                    }));
  if (!IsResealing(client)) return PinnedKeys(std::move(current));
  auto older = engine_.cache_->FindOrInsertOlder(
      client, [&](std::span<std::uint8_t> slot) { return unwrap(current.generation() - 1, slot); });
  // What it sealed cannot be opened; the rest can.
  if (!older && older.error().code != Code::kCorrupted && older.error().code != Code::kNotFound) {
    return std::unexpected(std::move(older).error());
  }
  if (!older) return PinnedKeys(std::move(current));
  return PinnedKeys(std::move(current), *std::move(older));
}

Result<UnwrappedKeys> Transaction::UnwrapKey(const ClientKeyId& current) {
  return engine_.UnwrapKeys(current);
}

bool Transaction::IsResealing(const ClientId& client) const {
  return ResealingOf(client) != nullptr;
}

const ResealingState* Transaction::ResealingOf(const ClientId& client) const {
  if (engine_.resealing_.empty()) return nullptr;
  const auto found = engine_.resealing_.find(client);
  return found == engine_.resealing_.end() ? nullptr : &found->second;
}

void Transaction::ResealBy(const ClientId& client, std::uint64_t who) {
  const auto found = engine_.resealing_.find(client);
  if (found != engine_.resealing_.end()) found->second.by = who;
}

void Transaction::NoteDeletedOfNewerKey(const ClientId& client, std::string_view class_name) {
  const auto found = engine_.resealing_.find(client);
  if (found != engine_.resealing_.end()) found->second.deleted_classes.emplace(class_name);
}

std::uint64_t Transaction::NextSeq() const { return engine_.writer_->head().size + also_.size(); }

Result<std::unique_ptr<Engine>> Engine::Connect(Database vault, Database keys,
                                                const crypto::Keyring& keyring, Options options) {
  std::unique_ptr<Engine> engine(new Engine);
  engine->options_ = std::move(options);
  engine->keyring_ = &keyring;
  engine->vault_ = std::move(vault);
  engine->keys_ = std::move(keys);

  COFFER_ASSIGN(auto log, LogStore::Open(engine->vault_));
  COFFER_ASSIGN(auto clients, ClientStore::Open(engine->vault_));
  COFFER_ASSIGN(auto records, RecordStore::Open(engine->vault_));
  COFFER_ASSIGN(auto catalog, CatalogStore::Open(engine->vault_));
  COFFER_ASSIGN(auto principals, PrincipalStore::Open(engine->vault_));
  COFFER_ASSIGN(auto users, UserStore::Open(engine->vault_));
  COFFER_ASSIGN(auto reveals, RevealStore::Open(engine->vault_));
  COFFER_ASSIGN(auto idempotency, IdempotencyStore::Open(engine->vault_));
  COFFER_ASSIGN(auto access, AccessStore::Open(engine->vault_));
  COFFER_ASSIGN(auto approvals, ApprovalStore::Open(engine->vault_));
  COFFER_ASSIGN(auto settings, SettingStore::Open(engine->vault_));
  COFFER_ASSIGN(auto damage, DamageStore::Open(engine->vault_));
  COFFER_ASSIGN(auto erasures, ErasureStore::Open(engine->vault_));
  COFFER_ASSIGN(auto holds, HoldStore::Open(engine->vault_));
  COFFER_ASSIGN(auto restrictions, RestrictionStore::Open(engine->vault_));
  COFFER_ASSIGN(auto retention, RetentionStore::Open(engine->vault_));
  COFFER_ASSIGN(auto index, SearchIndex::Open(engine->vault_));
  COFFER_ASSIGN(auto key_store, KeyStore::Open(engine->keys_));
  engine->stores_ = std::make_unique<Stores>(
      Stores{std::move(log), std::move(clients), std::move(records), std::move(catalog),
             std::move(principals), std::move(users), std::move(reveals), std::move(idempotency),
             std::move(access), std::move(approvals), std::move(settings), std::move(damage),
             std::move(erasures), std::move(holds), std::move(restrictions), std::move(retention),
             std::move(index), std::move(key_store)});
  return engine;
}

Status Engine::Check(Database vault, Database keys, const crypto::Keyring& keyring,
                     Options options) {
  COFFER_ASSIGN(const auto engine,
                Connect(std::move(vault), std::move(keys), keyring, std::move(options)));
  COFFER_TRY(engine->Load());
  return engine->CompareState(engine->options_.take_over_state);
}

Result<std::unique_ptr<Engine>> Engine::Create(Database vault, Database keys,
                                               const crypto::Keyring& keyring,
                                               std::unique_ptr<KeyCache> cache, Options options) {
  COFFER_ASSIGN(auto engine,
                Connect(std::move(vault), std::move(keys), keyring, std::move(options)));
  engine->cache_ = std::move(cache);

  auto& statements = engine->statements_;
  COFFER_ASSIGN(statements.begin, Statement::Prepare(engine->vault_, "BEGIN IMMEDIATE"));
  COFFER_ASSIGN(statements.commit, Statement::Prepare(engine->vault_, "COMMIT"));
  COFFER_ASSIGN(statements.savepoint, Statement::Prepare(engine->vault_, "SAVEPOINT operation"));
  COFFER_ASSIGN(statements.release, Statement::Prepare(engine->vault_, "RELEASE operation"));
  COFFER_ASSIGN(statements.rollback_to,
                Statement::Prepare(engine->vault_, "ROLLBACK TO operation"));
  sqlite3_wal_hook(
      engine->vault_.handle(),
      [](void* self, sqlite3*, const char*, int frames) {
        static_cast<Engine*>(self)->wal_frames_ = frames;
        return SQLITE_OK;
      },
      engine.get());
  engine->FollowKeysWal();

  auto rewrite = engine->options_.keys_rewrite;
  rewrite.log = engine->options_.log;
  COFFER_ASSIGN(engine->keys_rewrite_, KeyStoreRewrite::Create(engine->keys_, engine->stores_->keys,
                                                               keyring, std::move(rewrite)));
  COFFER_TRY(engine->FindResealing());
  COFFER_TRY(engine->Load());
  COFFER_TRY(engine->OpenState(engine->options_.take_over_state));
  COFFER_TRY(engine->CollectUnfinished());
  if (!engine->erased_.empty() || !engine->stray_keys_.empty()) {
    engine->Log(Severity::kWarning, "finishing " + std::to_string(engine->erased_.size()) +
                                        " erasures and destroying " +
                                        std::to_string(engine->stray_keys_.size()) +
                                        " keys that were still there");
    engine->FinishErasures();
  }
  // Also what a crash between an erasure and this left.
  engine->TruncateWal();
  engine->CheckpointKeys(true);
  return engine;
}

// Every erasure, not only those whose end a crash prevented: a key that a restored copy of keys.db
// brought back is destroyed again. A generation that vault.db does not know stays: its commit never
// came, and the next one takes its place; or vault.db is the older of the two, and all that the
// newer has is under that key.
Status Engine::CollectUnfinished() {
  COFFER_ASSIGN(const auto unfinished, stores_->erasures.ListUnfinished());
  for (const auto& row : unfinished) {
    if (row.state != ErasureState::kCommitted) continue;
    if (row.scope == ErasureScope::kClient) dying_.insert(row.client);
    erased_.push_back(row);
  }
  COFFER_TRY(stores_->erasures.ForEachDestroyedKey(
      [&](const ClientId& client, ErasureScope scope, std::uint64_t generation) -> Status {
        COFFER_ASSIGN(const auto oldest, stores_->keys.OldestGeneration(client));
        if (!oldest) return {};
        if (scope == ErasureScope::kClient) {
          stray_keys_.push_back({client, ClientKeyId::kNewest});
        } else if (*oldest <= generation) {
          stray_keys_.push_back({client, generation});
        }
        return {};
      }));
  COFFER_ASSIGN(const auto later, stores_->keys.LaterGenerations());
  for (const ClientKeyId& key : later) {
    COFFER_ASSIGN(const auto current, stores_->clients.FindGeneration(key.client));
    if (current != key.generation) continue;
    // One before the older of two sealed nothing that is left.
    COFFER_ASSIGN(const auto oldest, stores_->keys.OldestGeneration(key.client));
    if (oldest && *oldest + 1 < *current) stray_keys_.push_back({key.client, *current - 2});
  }
  return {};
}

// A key is there beside the one after it, and no erasure has it destroyed: there is something left
// that it sealed.
Status Engine::FindResealing() {
  COFFER_ASSIGN(const auto later, stores_->keys.LaterGenerations());
  for (const ClientKeyId& key : later) {
    COFFER_ASSIGN(const auto current, stores_->clients.FindGeneration(key.client));
    if (current != key.generation) continue;
    COFFER_ASSIGN(const auto older, stores_->keys.Find({key.client, key.generation - 1}));
    if (older) resealing_.try_emplace(key.client);
  }
  if (resealing_.empty()) return {};
  return stores_->erasures.ForEachDestroyedKey([&](const ClientId& client, ErasureScope scope,
                                                   std::uint64_t generation) -> Status {
    const auto found = resealing_.find(client);
    if (found == resealing_.end()) return {};
    COFFER_ASSIGN(const auto current, stores_->clients.FindGeneration(client));
    const bool destroyed = scope == ErasureScope::kClient || generation + 1 >= current.value_or(0);
    if (destroyed) resealing_.erase(found);
    return {};
  });
}

// Until this is committed both keys open what they sealed, and afterwards too.
void Engine::BeginResealing(const ClientKeyId& key, std::uint64_t who) {
  const auto found = resealing_.find(key.client);
  const bool known = found != resealing_.end();
  resealing_before_.emplace_back(key.client, known ? std::optional(found->second) : std::nullopt);
  if (known) retired_.push_back({key.client, key.generation - 2});
  resealing_.insert_or_assign(key.client, ResealingState{who});
  cache_->Demote(key.client);
}

void Engine::EndResealing(const ClientId& client) {
  const auto found = resealing_.find(client);
  if (found == resealing_.end()) return;
  resealing_before_.emplace_back(client, found->second);
  resealing_.erase(found);
}

Result<UnwrappedKeys> Engine::UnwrapKeys(const ClientKeyId& current) {
  const auto unwrap = [&](std::uint64_t generation) -> Result<crypto::SecretBytes> {
    COFFER_ASSIGN(const auto wrapped, stores_->keys.Find({current.client, generation}));
    if (!wrapped) return Fail(Code::kNotFound, "not_found");
    crypto::SecretBytes plain(crypto::kAeadKeyBytes);
    COFFER_TRY(
        keyring_->UnwrapDataKey(*wrapped, current.client.value, plain.ExposeSecretForWriting()));
    return plain;
  };
  COFFER_ASSIGN(auto key, unwrap(current.generation));
  UnwrappedKeys keys{std::move(key), current.generation};
  if (!resealing_.contains(current.client)) return keys;
  auto older = unwrap(current.generation - 1);
  if (!older && older.error().code == Code::kUnavailable) {
    return std::unexpected(std::move(older).error());
  }
  if (older) keys.older = *std::move(older);
  return keys;
}

Engine::~Engine() { Stop(); }

void Engine::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Engine::Stop() {
  {
    const std::lock_guard lock(queue_mutex_);
    stopping_ = true;
  }
  queue_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (keys_rewrite_) keys_rewrite_->Abandon();
}

Status Engine::Load() {
  COFFER_ASSIGN(auto head, audit::LoadHead(*stores_->log));
  log_size_.store(head.size, std::memory_order_release);
  if (writer_) {
    writer_->Reset(std::move(head));
  } else {
    writer_ = std::make_unique<audit::LogWriter>(options_.origin, std::move(head));
  }
  COFFER_ASSIGN(auto catalog, stores_->catalog.Load());
  PublishCatalog(std::make_shared<const Catalog>(std::move(catalog)));
  COFFER_ASSIGN(auto principals, stores_->principals.LoadPrincipals());
  COFFER_ASSIGN(auto tokens, stores_->principals.LoadTokens());
  COFFER_ASSIGN(auto teams, stores_->principals.LoadTeams());
  principals_.Clear();
  for (auto& row : principals) {
    if (current_catalog_->Role(row.role) == nullptr) {
      return Fail(Code::kCorrupted, "storage_corrupted", "a principal has no known role");
    }
    principals_.Put(std::move(row));
  }
  for (auto& row : tokens) principals_.Put(std::move(row));
  for (auto& row : teams) principals_.Put(std::move(row));
  COFFER_ASSIGN(auto assignments, stores_->access.LoadAssignments());
  COFFER_ASSIGN(auto leases, stores_->access.LoadLeases(options_.clock->Now()));
  access_.Clear();
  for (auto& row : assignments) access_.Put(std::move(row));
  for (auto& row : leases) access_.Put(std::move(row));
  COFFER_ASSIGN(const auto emergencies, stores_->access.LoadEmergencies(options_.clock->Now()));
  for (const auto& row : emergencies) access_.Put(row);
  COFFER_ASSIGN(auto holds, stores_->holds.LoadLive());
  COFFER_ASSIGN(auto restrictions, stores_->restrictions.Load());
  holds_.Clear();
  restrictions_.Clear();
  for (auto& hold : holds) {
    COFFER_TRY(OpenHold(hold));
    holds_.Put(std::move(hold));
  }
  for (auto& restriction : restrictions) restrictions_.Put(std::move(restriction));
  COFFER_TRY(stores_->index.Load(stores_->keys, *keyring_, *current_catalog_));
  PublishIndexState();
  return {};
}

// One whose client's key is not there still holds, without its words.
Status Engine::OpenHold(Hold& hold) {
  if (hold.sealed_text.empty()) return {};
  const ClientId& client = *hold.terms.client;
  COFFER_ASSIGN(const auto generation, stores_->clients.FindGeneration(client));
  const auto keys = UnwrapKeys({client, generation.value_or(0)});
  if (!keys && keys.error().code == Code::kUnavailable) return std::unexpected(keys.error());
  if (keys) (void)OpenHoldText(*keyring_, keys->Expose(), hold);
  return {};
}

void Engine::PublishIndexState() {
  const std::lock_guard lock(catalog_mutex_);
  published_index_ = stores_->index.state();
}

IndexState Engine::index_state() const {
  const std::lock_guard lock(catalog_mutex_);
  return published_index_;
}

void Engine::PublishCatalog(std::shared_ptr<const Catalog> catalog) {
  current_catalog_ = catalog;
  const std::lock_guard lock(catalog_mutex_);
  published_catalog_ = std::move(catalog);
}

std::shared_ptr<const Catalog> Engine::catalog() const {
  const std::lock_guard lock(catalog_mutex_);
  return published_catalog_;
}

Status Engine::Run(OperationKind kind, EntryRule rule, audit::Entry& entry,
                   FunctionRef<Status(Transaction&)> work) {
  Operation operation{kind, rule, &entry, work, {}};
  std::uint32_t batch = 0;
  bool wake = false;
  {
    const std::lock_guard lock(queue_mutex_);
    if (stopping_) return Fail(Code::kUnavailable, "stopping");
    if (queue_.size() >= options_.queue_limit) {
      refused_full_.fetch_add(1, std::memory_order_relaxed);
      return Fail(Code::kUnavailable, "queue_full");
    }
    queue_.push_back(&operation);
    batch = collecting_;
    wake = std::exchange(idle_, false);
  }
  if (wake) queue_changed_.notify_one();
  AwaitBatch(batch);
  return std::move(operation.status);
}

// Straight on the futex: std::atomic::wait yields the processor several times first, and std::mutex
// would wake the waiters one by one.
void Engine::AwaitBatch(std::uint32_t batch) {
  auto& word = finished_[batch & 1];
  for (;;) {
    const std::uint32_t finished = word.load(std::memory_order_acquire);
    if (static_cast<std::int32_t>(finished - batch) >= 0) return;
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, finished, nullptr, nullptr, 0);
  }
}

// The operations are gone once their owners see this: nothing of the batch is touched afterwards.
void Engine::FinishBatch() {
  auto& word = finished_[running_ & 1];
  word.store(running_, std::memory_order_release);
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

EngineStatistics Engine::Statistics() const {
  EngineStatistics s;
  s.operations = operations_.load(std::memory_order_relaxed);
  s.batches = batches_.load(std::memory_order_relaxed);
  s.commit_failures = commit_failures_.load(std::memory_order_relaxed);
  s.refused_full = refused_full_.load(std::memory_order_relaxed);
  s.largest_batch = largest_batch_.load(std::memory_order_relaxed);
  s.commit_nanoseconds = commit_nanoseconds_.load(std::memory_order_relaxed);
  s.wal_frames = wal_gauge_.load(std::memory_order_relaxed);
  s.keys_wal_frames = keys_wal_gauge_.load(std::memory_order_relaxed);
  s.log_size = log_size_.load(std::memory_order_relaxed);
  s.key_cache_entries = cache_->size();
  s.keys_rewrites = keys_rewrite_->completed();
  s.keys_rewrite_pending = keys_rewrite_->pending();
  s.wal_truncation_pending = wal_truncation_pending_.load(std::memory_order_relaxed);
  const std::lock_guard lock(queue_mutex_);
  s.queue_length = queue_.size();
  return s;
}

void Engine::Loop() {
  std::vector<Operation*> batch;
  for (;;) {
    bool timed_out = false;
    {
      std::unique_lock lock(queue_mutex_);
      while (queue_.empty() && !stopping_ && !timed_out) {
        idle_ = true;
        auto patience = keys_rewrite_->working() ? std::chrono::milliseconds(1)
                        : wal_truncation_pending_.load(std::memory_order_relaxed)
                            ? truncate_again_after_
                            : std::chrono::milliseconds(1000);
        if (keys_pending()) patience = std::min(patience, kDestroyAgainAfter);
        timed_out = queue_changed_.wait_for(lock, patience) == std::cv_status::timeout;
      }
      idle_ = false;
      if (queue_.empty() && stopping_) return;
      batch.swap(queue_);
      if (!batch.empty()) running_ = collecting_++;
    }
    if (!batch.empty()) {
      RunBatch(batch);
      FinishBatch();
    }
    try {
      Maintain(batch.empty());
    } catch (const std::bad_alloc&) {
      // All of it is tried again.
    }
    batch.clear();
  }
}

void Engine::RunBatch(std::vector<Operation*>& batch) {
  Status committed;
  try {
    committed = RunOperations(batch);
  } catch (const std::bad_alloc&) {
    committed = Fail(Code::kUnavailable, kNoMemory);
  }
  if (committed) {
    healthy_.store(true, std::memory_order_release);
    operations_.fetch_add(batch.size(), std::memory_order_relaxed);
    const auto asked = std::ranges::count_if(
        batch, [](const Operation* operation) { return operation->rule != EntryRule::kNever; });
    requests_.fetch_add(static_cast<std::uint64_t>(asked), std::memory_order_relaxed);
    batches_.fetch_add(1, std::memory_order_relaxed);
    if (batch.size() > largest_batch_.load(std::memory_order_relaxed)) {
      largest_batch_.store(batch.size(), std::memory_order_relaxed);
    }
    log_size_.store(writer_->head().size, std::memory_order_release);
  } else {
    const bool no_memory = committed.error().reason == kNoMemory;
    AbandonBatch(committed.error());
    for (Operation* operation : batch) {
      operation->status =
          std::unexpected(Error{Code::kUnavailable, no_memory ? kNoMemory : "log_unavailable"});
      if (!no_memory) operation->status.error().detail = committed.error().detail;
    }
  }
}

Status Engine::RunOperations(std::vector<Operation*>& batch) {
  if (needs_reload_) {
    COFFER_TRY(Load());
    needs_reload_ = false;
  }
  COFFER_TRY(statements_.begin.Execute());
  for (Operation* operation : batch) COFFER_TRY(RunOne(*operation));
  return CommitBatch();
}

// An error returned from here fails the batch; the operation's own failure is in its status.
Status Engine::RunOne(Operation& operation) {
  Transaction transaction(*this, options_.clock->Now());
  const bool writes = operation.kind == OperationKind::kWrite;
  const StateSums state_before = state_->sums();
  if (writes) COFFER_TRY(statements_.savepoint.Execute());

  // What one request has no memory for is its own failure; what it changed is taken back below.
  bool no_memory = false;
  try {
    operation.status = operation.work(transaction);
  } catch (const std::bad_alloc&) {
    no_memory = true;
    operation.status = Fail(Code::kUnavailable, kNoMemory);
  }
  // A full disk or an I/O error may have rolled everything back, not only this operation.
  if (sqlite3_get_autocommit(vault_.handle()) != 0) {
    return Fail(Code::kUnavailable, "storage_unavailable", "the transaction was rolled back");
  }
  // What the store could not do is the batch's failure: its entry would claim too much.
  if (!operation.status && operation.status.error().code == Code::kUnavailable && !no_memory) {
    return std::unexpected(operation.status.error());
  }
  if (stores_->index.has_unread()) {
    if (operation.status) COFFER_TRY(stores_->index.RemoveUnread());
    stores_->index.DropUnread();
  }
  if (writes) {
    if (!operation.status) {
      COFFER_TRY(statements_.rollback_to.Execute());
      state_->Restore(state_before);
    }
    COFFER_TRY(statements_.release.Execute());
  }
  COFFER_TRY(AppendEntries(transaction, operation));
  if (operation.status) COFFER_TRY(TakeOver(transaction));
  return {};
}

Status Engine::TakeOver(Transaction& transaction) {
  for (auto& [key, wrapped] : transaction.added_keys_) {
    COFFER_TRY(BeginKeys());
    COFFER_TRY(stores_->keys.Put(key, wrapped));
  }
  for (const ClientKeyId& key : transaction.dropped_keys_) {
    COFFER_TRY(BeginKeys());
    COFFER_TRY(stores_->keys.Delete(key));
  }
  for (const auto& [key, who] : transaction.begun_) BeginResealing(key, who);
  for (ErasureRow& row : transaction.erased_) {
    cache_->Remove(row.client);
    EndResealing(row.client);
    if (row.scope == ErasureScope::kClient) {
      access_.Forget(row.client);
      holds_.Forget(row.client);
      restrictions_.Forget(row.client);
      dying_.insert(row.client);
    }
    erased_.push_back(std::move(row));
  }
  if (transaction.catalog_) PublishCatalog(std::move(transaction.catalog_));
  if (transaction.index_key_) {
    auto& [generation, key] = *transaction.index_key_;
    COFFER_TRY(BeginKeys());
    COFFER_TRY(stores_->keys.PutIndexKey(
        generation, SearchIndex::WrapKey(*keyring_, generation, key.ExposeSecret())));
    stores_->index.AddKey(generation, std::move(key));
  }
  if (transaction.index_changed_) {
    COFFER_TRY(stores_->index.Reload(*current_catalog_));
    PublishIndexState();
  }
  if (transaction.retire_index_keys_) retire_index_keys_ = true;
  for (auto& row : transaction.principals_) principals_.Put(std::move(row));
  for (auto& row : transaction.tokens_) principals_.Put(std::move(row));
  for (const TokenId& id : transaction.forgotten_tokens_) principals_.Forget(id);
  if (transaction.team_) principals_.Put(*std::move(transaction.team_));
  if (transaction.assignment_) access_.Put(*std::move(transaction.assignment_));
  if (transaction.unassigned_) {
    access_.Remove(transaction.unassigned_->first, transaction.unassigned_->second);
  }
  for (auto& row : transaction.leases_) access_.Put(std::move(row));
  for (const auto& row : transaction.emergencies_) access_.Put(row);
  if (transaction.hold_) holds_.Put(*std::move(transaction.hold_));
  for (auto& restriction : transaction.restrictions_) restrictions_.Put(std::move(restriction));
  if (transaction.unrestricted_) {
    restrictions_.Remove(transaction.unrestricted_->first, transaction.unrestricted_->second);
  }
  return {};
}

Status Engine::AppendEntries(Transaction& transaction, Operation& operation) {
  if (operation.rule == EntryRule::kNever) return {};
  audit::Entry& own = *operation.entry;
  const bool leaves_own = transaction.own_entry_ || !operation.status;
  if (operation.status) {
    if (operation.rule == EntryRule::kOnRefusal) return {};
    if (own.outcome.empty()) own.outcome = "ok";
    for (audit::Entry& entry : transaction.also_) {
      entry.actor = own.actor;
      entry.actor_kind = own.actor_kind;
      entry.auth = own.auth;
      entry.address = own.address;
      entry.request = own.request;
      entry.decision = own.decision;
      entry.rule = own.rule;
      if (entry.outcome.empty()) entry.outcome = own.outcome;
      if (entry.purpose.empty()) entry.purpose = own.purpose;
      if (!leaves_own && &entry == &transaction.also_.back()) RecordState(entry);
      COFFER_TRY(AppendEntry(entry));
      if (entry.note_hash) {
        const auto place = static_cast<std::size_t>(&entry - transaction.also_.data());
        COFFER_TRY(PutNotes(transaction, place, entry.seq));
      }
    }
    if (!leaves_own) return {};
  } else {
    if (own.outcome.empty()) own.outcome = operation.status.error().reason;
    own.payload_hash.reset();  // nothing was written
  }
  RecordState(own);
  COFFER_TRY(AppendEntry(own));
  return PutNotes(transaction, Transaction::kOwnEntry, own.seq);
}

Status Engine::PutNotes(const Transaction& transaction, std::size_t entry, std::uint64_t seq) {
  const auto& notes = transaction.notes_;
  const auto note = std::ranges::lower_bound(notes, entry, {}, &Transaction::Note::entry);
  if (note == notes.end() || note->entry != entry) return {};
  return stores_->log->PutNote(note->client, seq, note->sealed);
}

Status Engine::AppendEntry(audit::Entry& entry) {
  tiles_.clear();
  writer_->Append(entry, options_.clock->Now(), entry_bytes_, tiles_);
  COFFER_TRY(stores_->log->AppendEntry(entry.seq, entry_bytes_));
  for (const auto& tile : tiles_) COFFER_TRY(stores_->log->AppendTile(tile));
  return {};
}

Status Engine::CompareState(bool take_over) {
  COFFER_ASSIGN(state_, CommittedState::Open(vault_, *keyring_));
  COFFER_ASSIGN(state_difference_, state_->FindDifference(*stores_->log));
  if (!state_difference_ || take_over) return {};
  return Fail(Code::kCorrupted, "state_differs",
              *state_difference_ +
                  "; put the whole directory back from a backup, or, when you know what it is, "
                  "start once with 'cofferd --take-over-state'");
}

Status Engine::OpenState(bool take_over) {
  COFFER_TRY(CompareState(take_over));
  COFFER_TRY(state_->Follow());
  COFFER_ASSIGN(const auto logged, state_->FindLogged(*stores_->log));
  if (state_difference_) {
    state_in_log_.sums.reset();
  } else if (logged) {
    state_in_log_.sums = state_->sums();
    state_in_log_.seq = logged->seq;
  }
  durable_state_ = state_in_log_;
  durable_sums_ = state_->sums();
  return {};
}

// The last entry of an operation that changed committed state says what it is now.
void Engine::RecordState(audit::Entry& entry) {
  if (state_->sums() == state_in_log_.sums) return;
  entry.state_hash = state_->Hash();
  state_in_log_.sums = state_->sums();
  state_in_log_.seq = writer_->head().size;
}

Status Engine::StoreState() {
  if (state_->sums() != state_in_log_.sums) {
    // What is changed has an entry; should it ever have none, the log is not left behind.
    audit::Entry entry;
    entry.action = "state.changed";
    entry.actor = "vault";
    entry.decision = audit::Decision::kAllow;
    entry.outcome = "ok";
    RecordState(entry);
    COFFER_TRY(AppendEntry(entry));
  }
  const std::uint64_t size = writer_->head().size;
  if (state_in_log_.seq != durable_state_.seq) {
    COFFER_TRY(state_->Store(size, *state_in_log_.seq));
    state_in_log_.known_to = size;
  } else if (size - state_in_log_.known_to >= kStateKnownEvery) {
    COFFER_TRY(state_->Advance(size));
    state_in_log_.known_to = size;
  }
  return {};
}

Status Engine::BeginKeys() {
  if (!keys_open_) {
    COFFER_TRY(keys_.Execute("BEGIN IMMEDIATE"));
    keys_open_ = true;
  }
  return {};
}

Status Engine::CommitBatch() {
  const auto started = std::chrono::steady_clock::now();
  COFFER_TRY(StoreState());
  if (keys_open_) {
    if (auto committed = keys_.Execute("COMMIT"); !committed) {
      if (IsFsyncFailure(keys_.ExtendedError())) Die(committed.error().detail);
      return committed;
    }
    keys_open_ = false;
  }
  if (auto committed = statements_.commit.Execute(); !committed) {
    if (IsFsyncFailure(vault_.ExtendedError())) Die(committed.error().detail);
    return committed;
  }
  durable_state_ = state_in_log_;
  durable_sums_ = state_->sums();
  // There is no way back from here, and none forward without memory: the next start goes on.
  try {
    resealing_before_.clear();
    const bool retires = !retired_.empty();
    std::ranges::move(retired_, std::back_inserter(stray_keys_));
    retired_.clear();
    if (!erased_.empty() || retires) FinishErasures();
    if (retire_index_keys_) RetireIndexKeys();
  } catch (const std::bad_alloc&) {
    Die("no memory to finish what is committed");
  }
  commit_nanoseconds_.fetch_add(
      static_cast<std::uint64_t>(
          std::chrono::nanoseconds(std::chrono::steady_clock::now() - started).count()),
      std::memory_order_relaxed);
  return {};
}

// The erasures are committed: there is no way back, only forward. What cannot be done now is not
// acknowledged, and the next start goes on here.
void Engine::FinishErasures() {
  if (!erased_.empty()) {
    if (auto appended = options_.append_to_ledger(erased_); !appended) {
      Die(appended.error().detail);
    }
    std::ranges::move(erased_, std::back_inserter(undestroyed_));
    erased_.clear();
    TruncateWal();
  }
  DestroyPending();
}

// What has a place in the ledger. That somebody reads keys.db is no failure of the storage.
void Engine::DestroyPending() {
  keys_.SetPatience(kDestroyPatienceMs);
  auto destroyed = DestroyKeys();
  keys_.SetPatience(Database::kPatienceMs);
  if (destroyed) destroyed = MarkDestroyed();
  if (!destroyed && !IsBusy(destroyed.error())) Die(destroyed.error().detail);
  TellPending(!destroyed);
  if (!destroyed) {
    destroy_again_ = std::chrono::steady_clock::now() + kDestroyAgainAfter;
    return;
  }
  undestroyed_.clear();
  dying_.clear();
  stray_keys_.clear();
}

Status Engine::MarkDestroyed() {
  if (undestroyed_.empty()) return {};
  COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(vault_));
  for (const ErasureRow& row : undestroyed_) COFFER_TRY(stores_->erasures.MarkKeyDestroyed(row));
  return transaction.Commit();
}

void Engine::TellPending(bool any) {
  if (any && !keys_held_) {
    Log(Severity::kWarning,
        "another program holds keys.db: keys of erased data are destroyed as soon as it lets go, "
        "and their erasures are not acknowledged before");
  }
  if (!any && keys_held_) {
    Log(Severity::kInfo, "keys.db was let go: the keys of erased data are destroyed");
  }
  if (!any && !keys_held_) return;
  keys_held_ = any;
  const std::lock_guard lock(pending_mutex_);
  if (any) {
    for (const ErasureRow& row : undestroyed_) pending_.insert(row.id);
    return;
  }
  pending_.clear();
  destroyed_late_ = true;
  pending_changed_.notify_all();
}

bool Engine::AwaitDestroyed(std::span<const ErasureRow> rows, std::chrono::milliseconds at_most) {
  std::unique_lock lock(pending_mutex_);
  return pending_changed_.wait_for(lock, at_most, [&] {
    return std::ranges::none_of(
        rows, [this](const ErasureRow& row) { return pending_.contains(row.id); });
  });
}

Status Engine::DestroyKeys() {
  COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(keys_));
  for (const ErasureRow& row : undestroyed_) {
    COFFER_TRY(stores_->keys.DeleteUpTo(
        {row.client, row.scope == ErasureScope::kClient ? ClientKeyId::kNewest : row.generation}));
  }
  for (const ClientKeyId& key : stray_keys_) COFFER_TRY(stores_->keys.DeleteUpTo(key));
  COFFER_TRY(keys_rewrite_->Mark());
  COFFER_TRY(transaction.Commit());
  // secure_delete overwrote the rows; this removes the older page images from the WAL.
  COFFER_ASSIGN([[maybe_unused]] const auto state, keys_.Checkpoint(true));
  return {};
}

// The live generation is committed, and nothing asks for another one. What fails is asked for again
// (index_builder.h).
void Engine::RetireIndexKeys() {
  retire_index_keys_ = false;
  const std::uint64_t live = stores_->index.state().live;
  const auto retire = [&]() -> Status {
    COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(keys_));
    COFFER_TRY(stores_->keys.DeleteIndexKeysBut(live));
    COFFER_TRY(keys_rewrite_->Mark());
    return transaction.Commit();
  };
  keys_.SetPatience(kDestroyPatienceMs);
  const Status retired = retire();
  keys_.SetPatience(Database::kPatienceMs);
  if (!retired) {
    if (IsFsyncFailure(keys_.ExtendedError())) Die(retired.error().detail);
    keys_rewrite_->MarkUndone();
    Log(Severity::kWarning,
        "the old key of the search index is not destroyed yet, and will be "
        "tried again: " +
            retired.error().detail);
    return;
  }
  stores_->index.KeepKeysOnly(live);
  // Removes the older page images; the rewrite of keys.db that follows leaves them unreadable.
  if (auto done = keys_.TruncateWal(); !done && IsFsyncFailure(keys_.ExtendedError())) {
    Die(done.error().detail);
  }
  TruncateWal();
}

// An older page of the WAL has what was erased as it stood, and is read with the key of vault.db.
void Engine::TruncateWal() {
  wal_truncation_tried_ = std::chrono::steady_clock::now();
  const auto truncated = vault_.TruncateWal();
  if (!truncated) {
    if (IsFsyncFailure(vault_.ExtendedError())) Die(truncated.error().detail);
    WarnOfWal("the WAL could not be truncated: " + truncated.error().detail);
  }
  truncate_again_after_ = truncated ? kTruncateEvery : kTruncateAfterFailure;
  const bool done = truncated && *truncated;
  wal_truncation_pending_.store(!done, std::memory_order_relaxed);
  if (done) wal_frames_ = wal_checkpoint_at_ = 0;
}

// Not at each of the tries, of which there are many while the storage refuses.
void Engine::WarnOfWal(const std::string& message) {
  const auto now = std::chrono::steady_clock::now();
  if (warned_of_wal_ && now - *warned_of_wal_ < kTellAgainAfter) return;
  warned_of_wal_ = now;
  Log(Severity::kWarning, message);
}

// Each connection to keys.db has its own: a rewrite of the file opens another one.
void Engine::FollowKeysWal() {
  const void* const before = sqlite3_wal_hook(
      keys_.handle(),
      [](void* self, sqlite3*, const char*, int frames) {
        static_cast<Engine*>(self)->keys_wal_frames_ = frames;
        return SQLITE_OK;
      },
      this);
  if (before != this) keys_wal_frames_ = keys_wal_checkpoint_at_ = 0;
}

// As of vault.db. Waits for nobody: who reads keys.db keeps the rest for the next try.
void Engine::CheckpointKeys(bool truncate) {
  if (truncate) {
    const auto truncated = keys_.TruncateWal();
    if (!truncated && IsFsyncFailure(keys_.ExtendedError())) Die(truncated.error().detail);
    if (!truncated) WarnOfWal("the WAL of keys.db stays: " + truncated.error().detail);
    if (truncated && *truncated) keys_wal_frames_ = keys_wal_checkpoint_at_ = 0;
    return;
  }
  const auto state = keys_.Checkpoint(false);
  if (!state) {
    if (IsFsyncFailure(keys_.ExtendedError())) Die(state.error().detail);
    WarnOfWal("the WAL of keys.db could not be checkpointed: " + state.error().detail);
    keys_wal_checkpoint_at_ = keys_wal_frames_;
    return;
  }
  const bool all = state->frames == state->checkpointed;
  keys_wal_checkpoint_at_ = all ? 0 : keys_wal_frames_;
  if (all) keys_wal_frames_ = 0;
}

void Engine::AbandonBatch(const Error& why) {
  commit_failures_.fetch_add(1, std::memory_order_relaxed);
  const bool was_healthy = healthy_.exchange(false, std::memory_order_acq_rel);
  if (sqlite3_get_autocommit(vault_.handle()) == 0) {
    if (auto rolled_back = vault_.Execute("ROLLBACK"); !rolled_back)
      Die(rolled_back.error().detail);
  }
  if (sqlite3_get_autocommit(keys_.handle()) == 0) {
    if (auto rolled_back = keys_.Execute("ROLLBACK"); !rolled_back) Die(rolled_back.error().detail);
  }
  keys_open_ = false;
  state_in_log_ = durable_state_;
  state_->Restore(durable_sums_);
  stores_->index.DropUnread();
  // Of a new generation that was not committed.
  for (const ErasureRow& row : erased_) cache_->Remove(row.client);
  for (; !resealing_before_.empty(); resealing_before_.pop_back()) {
    auto& [client, before] = resealing_before_.back();
    cache_->Remove(client);
    if (before) {
      resealing_.insert_or_assign(client, *std::move(before));
    } else {
      resealing_.erase(client);
    }
  }
  retired_.clear();
  erased_.clear();
  dying_.clear();
  for (const ErasureRow& row : undestroyed_) {
    if (row.scope == ErasureScope::kClient) dying_.insert(row.client);
  }
  retire_index_keys_ = false;
  // What the failed operations changed in memory is gone; the database says what is true.
  needs_reload_ = true;
  try {
    if (was_healthy) {
      Log(Severity::kError, "the store cannot be written, nothing is served: " +
                                (why.detail.empty() ? std::string(why.reason) : why.detail));
    }
    needs_reload_ = !Load();
  } catch (const std::bad_alloc&) {
    // Before the next batch, then.
  }
}

void Engine::Maintain(bool idle) {
  wal_gauge_.store(static_cast<std::uint64_t>(std::max(wal_frames_, 0)), std::memory_order_relaxed);
  if (wal_frames_ >= wal_checkpoint_at_ + kWalStep || (idle && wal_frames_ > wal_checkpoint_at_)) {
    CheckpointWal();
  }
  keys_wal_gauge_.store(static_cast<std::uint64_t>(std::max(keys_wal_frames_, 0)),
                        std::memory_order_relaxed);
  if (keys_wal_frames_ >= keys_wal_checkpoint_at_ + kWalStep ||
      (idle && keys_wal_frames_ > keys_wal_checkpoint_at_)) {
    CheckpointKeys(false);
  }
  if (wal_truncation_pending_.load(std::memory_order_relaxed) &&
      std::chrono::steady_clock::now() - wal_truncation_tried_ >= truncate_again_after_) {
    TruncateWal();
  }
  if (healthy()) {
    if (keys_pending() && std::chrono::steady_clock::now() >= destroy_again_) DestroyPending();
    if (auto stepped = keys_rewrite_->Step(); !stepped) Die(stepped.error().detail);
    FollowKeysWal();
  }
  const Timestamp now = options_.clock->Now();
  // Also when the clock was put back: it may have run ahead for years. And where requests never
  // end.
  if (purge_waits_since_.ms == 0) purge_waits_since_ = now;
  const std::int64_t since_purge = std::abs(now.ms - last_purge_.ms);
  const bool purge_on = purge_more_ && (idle || since_purge >= kPurgeOnMs);
  const bool purge = purge_on || (idle ? since_purge > kPurgeIntervalMs
                                       : std::abs(now.ms - purge_waits_since_.ms) > kPurgeLatestMs);
  const bool probe = idle && !healthy();
  if (!purge && !probe) return;
  // Acts are many and looked through one by one.
  const bool purge_acts = now.ms / kMsPerHour != last_purge_.ms / kMsPerHour;
  last_purge_ = purge_waits_since_ = now;
  // Also what finds out that a full disk has room again, without waiting for a request to fail.
  audit::Entry none;
  const auto work = [&](Transaction& transaction) -> Status {
    LogStore& log = *transaction.stores().log;
    if (probe) {
      COFFER_ASSIGN(const auto note, log.ReadCheckpoint());
      if (note) COFFER_TRY(log.PutCheckpoint(std::string_view(*note)));
    }
    if (purge_acts) {
      COFFER_ASSIGN(const bool stands, ClockStands(transaction.stores().settings, now));
      if (stands) {
        COFFER_TRY(transaction.stores().erasures.PurgeActs(Timestamp{now.ms - kActLifetimeMs}));
      }
    }
    const Timestamp yesterday{now.ms - 24 * kMsPerHour};
    principals_.ForgetSessions(yesterday);
    access_.ForgetEnded(yesterday);
    COFFER_TRY(transaction.stores().reveals.PurgeBefore(yesterday.ms / kMsPerHour - 24));
    COFFER_ASSIGN(purge_more_, transaction.stores().idempotency.PurgeOutside(
                                   Timestamp{now.ms - kIdempotencyLifetimeMs},
                                   Timestamp{now.ms + kIdempotencyLifetimeMs}));
    return {};
  };
  Operation operation{OperationKind::kWrite, EntryRule::kNever, &none, work, {}};
  std::vector<Operation*> batch{&operation};
  RunBatch(batch);
}

void Engine::CheckpointWal() {
  auto state = vault_.Checkpoint(false);
  if (!state) {
    if (IsFsyncFailure(vault_.ExtendedError())) Die(state.error().detail);
    Log(Severity::kWarning, "the WAL could not be checkpointed: " + state.error().detail);
    wal_checkpoint_at_ = wal_frames_;
    return;
  }
  // Everything copied: the next commit starts the WAL anew. Otherwise a long read holds the rest,
  // and the next try is one step later.
  const bool all = state->frames == state->checkpointed;
  wal_checkpoint_at_ = all ? 0 : wal_frames_;
  if (all) wal_frames_ = 0;
}

void Engine::Die(std::string_view why) {
  // After a failed fsync the kernel may have dropped what was not written and will not say so
  // again: nothing may be acknowledged any more, and a restart recovers what is durable.
  Log(Severity::kError, "storage failed, the process ends: " + std::string(why));
  _exit(74);
}

void Engine::Log(Severity severity, const std::string& message) const {
  if (options_.log) options_.log(severity, message);
}

}  // namespace coffer::vault
