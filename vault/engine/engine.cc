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

namespace coffer::vault {
namespace {

// So far back a start looks for the last entry that says what the committed state is.
constexpr std::uint64_t kStateKnownEvery = 4096;
constexpr std::int64_t kPurgeIntervalMs = 60 * 1000;
// So long a purge waits for a moment without requests.
constexpr std::int64_t kPurgeLatestMs = 10 * kPurgeIntervalMs;
constexpr std::int64_t kPurgeOnMs = 1000;  // between portions, while requests come

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 &&
              std::atomic<std::uint32_t>::is_always_lock_free);  // it is a futex word

}  // namespace

Result<std::optional<std::uint64_t>> RoomStates::KeyGeneration(const ClientId& client) const {
  for (const auto& room : states_) {
    COFFER_ASSIGN(const auto generation, room->KeyGeneration(client));
    if (generation) return generation;
  }
  return std::nullopt;
}

Result<PinnedKeys> Transaction::PinKey(const ClientId& client) {
  // Erased earlier in this very batch: its key is still in keys.db until the commit.
  if (engine_.dying_.contains(client)) return Fail(Code::kNotFound, "not_found");
  const auto unwrap = [&](std::uint64_t generation,
                          std::span<std::uint8_t> slot) -> Result<std::uint64_t> {
    const auto added = std::ranges::find_if(added_keys_, [&](const auto& key) {
      return key.first.client == client && key.first.generation == generation;
    });
    if (added != added_keys_.end()) {  // by this very operation
      COFFER_TRY(engine_.keyring_->UnwrapDataKey(added->second, client.value, slot));
      return generation;
    }
    COFFER_ASSIGN(const auto wrapped, engine_.stores_->keys.Find({client, generation}));
    if (!wrapped) return Fail(Code::kNotFound, "not_found");
    COFFER_TRY(engine_.keyring_->UnwrapDataKey(*wrapped, client.value, slot));
    return generation;
  };
  COFFER_ASSIGN(auto current,
                engine_.cache_->FindOrInsert(
                    client, [&](std::span<std::uint8_t> slot) -> Result<std::uint64_t> {
                      COFFER_ASSIGN(const auto generation, rooms_.KeyGeneration(client));
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
  COFFER_ASSIGN(auto settings, SettingStore::Open(engine->vault_));
  COFFER_ASSIGN(auto damage, DamageStore::Open(engine->vault_));
  COFFER_ASSIGN(auto erasures, ErasureStore::Open(engine->vault_));
  COFFER_ASSIGN(auto acts, ActStore::Open(engine->vault_));
  COFFER_ASSIGN(auto key_store, KeyStore::Open(engine->keys_));
  engine->stores_ =
      std::make_unique<Stores>(Stores{std::move(log), std::move(settings), std::move(damage),
                                      std::move(erasures), std::move(acts), std::move(key_store)});
  COFFER_ASSIGN(engine->rooms_, engine->options_.open_rooms(engine->vault_));
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
  const auto warn = [log = engine->options_.log](const std::string& message) {
    if (log) log(Severity::kWarning, message);
  };
  engine->vault_wal_ =
      std::make_unique<WriteAheadLog>(engine->vault_,
                                      WriteAheadLog::Words{"the WAL could not be truncated: ",
                                                           "the WAL could not be checkpointed: "},
                                      warn);
  engine->vault_wal_->Follow();
  engine->keys_wal_ = std::make_unique<WriteAheadLog>(
      engine->keys_,
      WriteAheadLog::Words{"the WAL of keys.db stays: ",
                           "the WAL of keys.db could not be checkpointed: "},
      warn);
  engine->keys_wal_->Follow();

  auto rewrite = engine->options_.keys_rewrite;
  rewrite.log = engine->options_.log;
  COFFER_ASSIGN(engine->keys_rewrite_, KeyStoreRewrite::Create(engine->keys_, engine->stores_->keys,
                                                               keyring, std::move(rewrite)));
  auto vault_rewrite = engine->options_.vault_rewrite;
  vault_rewrite.log = engine->options_.log;
  engine->vault_rewrite_ = std::make_unique<VaultRewrite>(
      engine->vault_, keyring,
      [at = engine.get()]() -> Status {
        at->vault_wal_->Follow();
        return at->state_->Follow();
      },
      std::move(vault_rewrite));
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
  engine->EmptyWal();
  if (auto emptied = engine->keys_wal_->Empty(); !emptied) engine->Die(emptied.error().detail);
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
    COFFER_ASSIGN(const auto current, rooms_.KeyGeneration(key.client));
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
    COFFER_ASSIGN(const auto current, rooms_.KeyGeneration(key.client));
    if (current != key.generation) continue;
    COFFER_ASSIGN(const auto older, stores_->keys.Find({key.client, key.generation - 1}));
    if (older) resealing_.try_emplace(key.client);
  }
  if (resealing_.empty()) return {};
  return stores_->erasures.ForEachDestroyedKey([&](const ClientId& client, ErasureScope scope,
                                                   std::uint64_t generation) -> Status {
    const auto found = resealing_.find(client);
    if (found == resealing_.end()) return {};
    COFFER_ASSIGN(const auto current, rooms_.KeyGeneration(client));
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
  if (vault_rewrite_) vault_rewrite_->Abandon();
}

Status Engine::Load() {
  COFFER_ASSIGN(auto head, audit::LoadHead(*stores_->log));
  log_size_.store(head.size, std::memory_order_release);
  if (writer_) {
    writer_->Reset(std::move(head));
  } else {
    writer_ = std::make_unique<audit::LogWriter>(options_.origin, std::move(head));
  }
  const auto unwrap = [this](const ClientKeyId& current) { return UnwrapKeys(current); };
  const RoomSources sources{rooms_, stores_->keys, *keyring_, options_.clock->Now(), unwrap};
  for (const auto& room : rooms_) COFFER_TRY(room->Load(sources));
  return {};
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

// Not bounded by the queue's limit: what waits is in the memory of its callers, who are.
void Engine::RunInBulk(std::span<Operation> operations) {
  if (operations.empty()) return;
  BulkQueue::Call call{operations};
  std::unique_lock lock(queue_mutex_);
  if (stopping_) {
    for (Operation& operation : operations) {
      operation.status = Fail(Code::kUnavailable, "stopping");
    }
    return;
  }
  bulk_.Add(call);
  if (std::exchange(idle_, false)) queue_changed_.notify_one();
  bulk_finished_.wait(lock, [&] { return call.finished; });
}

void Engine::FinishBulk(const Batch& batch) {
  if (batch.operations.size() == batch.single) return;
  const std::lock_guard lock(queue_mutex_);
  bulk_.Finish(batch.done - std::min(batch.done, batch.single), batch.failed);
  bulk_finished_.notify_all();
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
  s.wal_frames = vault_wal_->frames();
  s.keys_wal_frames = keys_wal_->frames();
  s.log_size = log_size_.load(std::memory_order_relaxed);
  s.key_cache_entries = cache_->size();
  s.keys_rewrites = keys_rewrite_->completed();
  s.keys_rewrite_pending = keys_rewrite_->pending();
  s.wal_truncation_pending = vault_wal_->emptying();
  const std::lock_guard lock(queue_mutex_);
  s.queue_length = queue_.size() + bulk_.operations();
  return s;
}

void Engine::Loop() {
  Batch batch;
  for (;;) {
    bool timed_out = false;
    batch.operations.clear();
    {
      std::unique_lock lock(queue_mutex_);
      while (queue_.empty() && bulk_.empty() && !stopping_ && !timed_out) {
        idle_ = true;
        const bool rewrites = keys_rewrite_->working() || vault_rewrite_->working();
        auto patience = rewrites                 ? std::chrono::milliseconds(1)
                        : vault_wal_->emptying() ? vault_wal_->retry_after()
                                                 : std::chrono::milliseconds(1000);
        if (keys_pending()) patience = std::min(patience, kDestroyAgainAfter);
        timed_out = queue_changed_.wait_for(lock, patience) == std::cv_status::timeout;
      }
      idle_ = false;
      if (queue_.empty() && bulk_.empty() && stopping_) return;
      batch.operations.swap(queue_);
      batch.single = batch.operations.size();
      if (batch.single > 0) running_ = collecting_++;
      try {
        bulk_.Take(batch.single == 0 ? kBulkAlone : kBulkBeside, batch.operations);
      } catch (const std::bad_alloc&) {
        // They wait for a later batch, and until others give memory back.
        if (batch.single == 0) queue_changed_.wait_for(lock, kDestroyAgainAfter);
      }
    }
    if (!batch.operations.empty()) {
      RunBatch(batch);
      if (batch.single > 0) FinishBatch();
      FinishBulk(batch);
    }
    try {
      Maintain(batch.operations.empty());
    } catch (const std::bad_alloc&) {
      // All of it is tried again.
    }
  }
}

void Engine::RunBatch(Batch& batch) {
  Status committed;
  batch.done = 0;
  try {
    committed = RunOperations(batch);
  } catch (const std::bad_alloc&) {
    committed = Fail(Code::kUnavailable, kNoMemory);
  }
  batch.failed = !committed;
  const std::span operations(batch.operations);
  if (committed) {
    healthy_.store(true, std::memory_order_release);
    operations_.fetch_add(batch.done, std::memory_order_relaxed);
    const auto asked = std::ranges::count_if(
        operations.first(batch.done),
        [](const Operation* operation) { return operation->rule != EntryRule::kNever; });
    requests_.fetch_add(static_cast<std::uint64_t>(asked), std::memory_order_relaxed);
    batches_.fetch_add(1, std::memory_order_relaxed);
    if (batch.done > largest_batch_.load(std::memory_order_relaxed)) {
      largest_batch_.store(batch.done, std::memory_order_relaxed);
    }
    log_size_.store(writer_->head().size, std::memory_order_release);
  } else {
    const bool no_memory = committed.error().reason == kNoMemory;
    AbandonBatch(committed.error());
    for (Operation* operation : operations) {
      operation->status =
          std::unexpected(Error{Code::kUnavailable, no_memory ? kNoMemory : "log_unavailable"});
      if (!no_memory) operation->status.error().detail = committed.error().detail;
    }
  }
}

Status Engine::RunOperations(Batch& batch) {
  if (needs_reload_) {
    COFFER_TRY(Load());
    needs_reload_ = false;
  }
  COFFER_TRY(statements_.begin.Execute());
  for (; batch.done < batch.single; ++batch.done) COFFER_TRY(RunOne(*batch.operations[batch.done]));
  if (batch.operations.size() > batch.single) COFFER_TRY(RunBulk(batch));
  return CommitBatch();
}

Status Engine::RunBulk(Batch& batch) {
  const auto until = std::chrono::steady_clock::now() + kBulkTime;
  do {
    COFFER_TRY(RunOne(*batch.operations[batch.done]));
  } while (++batch.done < batch.operations.size() && std::chrono::steady_clock::now() < until);
  return {};
}

// An error returned from here fails the batch; the operation's own failure is in its status.
Status Engine::RunOne(Operation& operation) {
  Transaction transaction(*this, *stores_, rooms_, options_.clock->Now());
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
  if (!vault_.InTransaction()) {
    return Fail(Code::kUnavailable, "storage_unavailable", "the transaction was rolled back");
  }
  // What the store could not do is the batch's failure: its entry would claim too much.
  if (!operation.status && operation.status.error().code == Code::kUnavailable && !no_memory) {
    return std::unexpected(operation.status.error());
  }
  const bool succeeded = operation.status.has_value();
  for (const auto& room : rooms_) COFFER_TRY(room->EndOperation(succeeded));
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
    // By who did not know yet that there is a newer client-KEK: its exchange may be past this row.
    const auto newer = keyring_->client_keks().Rewrap(wrapped, key.client.value);
    COFFER_TRY(stores_->keys.Put(key, newer && *newer ? **newer : wrapped));
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
      for (const auto& room : rooms_) room->Forget(row.client);
      dying_.insert(row.client);
    }
    erased_.push_back(std::move(row));
  }
  for (const ProtectiveAct& act : transaction.acts_) {
    ActRow row = SealedAct(*keyring_, act, writer_->head().size - 1, transaction.now());
    COFFER_TRY(stores_->acts.Insert(row));
    acted_.push_back(std::move(row));
  }
  for (auto& put : transaction.put_keys_) {
    COFFER_TRY(BeginKeys());
    COFFER_TRY(put(stores_->keys));
  }
  if (transaction.retiring_ != nullptr) retiring_ = transaction.retiring_;
  for (auto& change : transaction.changes_) COFFER_TRY(change());
  return {};
}

Status Engine::AppendEntries(Transaction& transaction, Operation& operation) {
  if (operation.rule == EntryRule::kNever) return {};
  if (transaction.done_again_ && !operation.status) return {};
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
    if (!acted_.empty()) AppendActs();
    if (retiring_ != nullptr) RetireKeys();
  } catch (const std::bad_alloc&) {
    Die("no memory to finish what is committed");
  }
  commit_nanoseconds_.fetch_add(
      static_cast<std::uint64_t>(
          std::chrono::nanoseconds(std::chrono::steady_clock::now() - started).count()),
      std::memory_order_relaxed);
  return {};
}

void Engine::AbandonBatch(const Error& why) {
  commit_failures_.fetch_add(1, std::memory_order_relaxed);
  const bool was_healthy = healthy_.exchange(false, std::memory_order_acq_rel);
  if (vault_.InTransaction()) {
    if (auto rolled_back = vault_.Execute("ROLLBACK"); !rolled_back)
      Die(rolled_back.error().detail);
  }
  if (keys_.InTransaction()) {
    if (auto rolled_back = keys_.Execute("ROLLBACK"); !rolled_back) Die(rolled_back.error().detail);
  }
  keys_open_ = false;
  state_in_log_ = durable_state_;
  state_->Restore(durable_sums_);
  for (const auto& room : rooms_) room->AbandonBatch();
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
  acted_.clear();
  dying_.clear();
  for (const ErasureRow& row : undestroyed_) {
    if (row.scope == ErasureScope::kClient) dying_.insert(row.client);
  }
  retiring_ = nullptr;
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
  for (WriteAheadLog* const wal : {vault_wal_.get(), keys_wal_.get()}) {
    if (auto stepped = wal->Step(idle); !stepped) Die(stepped.error().detail);
  }
  if (healthy()) {
    if (keys_pending() && std::chrono::steady_clock::now() >= destroy_again_) DestroyPending();
    if (auto stepped = keys_rewrite_->Step(); !stepped) Die(stepped.error().detail);
    keys_wal_->Follow();
    if (auto stepped = vault_rewrite_->Step(idle); !stepped) Die(stepped.error().detail);
  } else {
    // A batch that was rolled back begins a copy anew, and a full disk needs the room.
    vault_rewrite_->Abandon();
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
  last_purge_ = purge_waits_since_ = now;
  // Also what finds out that a full disk has room again, without waiting for a request to fail.
  audit::Entry none;
  const auto work = [&](Transaction& transaction) -> Status {
    LogStore& log = *transaction.stores().log;
    if (probe) {
      COFFER_ASSIGN(const auto note, log.ReadCheckpoint());
      if (note) COFFER_TRY(log.PutCheckpoint(std::string_view(*note)));
    }
    bool any_more = false;
    for (const auto& room : rooms_) {
      COFFER_ASSIGN(const bool more, room->Purge(transaction));
      any_more = any_more || more;
    }
    purge_more_ = any_more;
    return {};
  };
  Operation operation{OperationKind::kWrite, EntryRule::kNever, &none, work, {}};
  Batch batch{.operations = {&operation}, .single = 1};
  RunBatch(batch);
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
