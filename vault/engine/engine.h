// The engine: one thread, one read-write connection, one commit for many requests.
//
// A request's thread hands an operation to the queue and waits. The engine thread takes all that is
// queued, runs each operation (writers inside a savepoint), appends its log entry, commits once,
// and only then lets the waiting threads go on. So a read sees the latest commit, is strictly
// ordered with writes and erasures, and its entry is durable before anything is disclosed.
//
// Order of a batch's commits, and what a crash leaves between them:
//   1. keys.db, new keys      a key whose client was never acknowledged, or of a generation that
//                             was never begun: harmless, never used
//   2. vault.db               the batch happened
//   3. the ledger             )
//   4. keys.db, destroyed     ) finished at the next start from erasures.state; generations that
//                             ) seal nothing any more are found in keys.db; acts that the
//                             ) ledger lacks from protective_acts
// A failure in 1 or 2 fails the whole batch closed; in 3 or 4, and any failed fsync, ends the
// process. Who reads keys.db from elsewhere can hold 4 up: the engine goes on, and tries it again
// until it is done, which AwaitDestroyed() waits for.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "audit/entries/entry.h"
#include "audit/entries/log_writer.h"
#include "audit/text/clock.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/base/function_ref.h"
#include "vault/base/operator_log.h"
#include "vault/engine/bulk_queue.h"
#include "vault/engine/committed_state.h"
#include "vault/engine/key_cache.h"
#include "vault/engine/key_store_rewrite.h"
#include "vault/engine/statistics.h"
#include "vault/engine/transaction.h"
#include "vault/engine/vault_rewrite.h"
#include "vault/storage/sqlite.h"
#include "vault/storage/write_ahead_log.h"

namespace coffer::vault {

class Engine {
 public:
  struct Options {
    std::size_t queue_limit = 4096;
    OperatorLog log;
    const audit::Clock* clock = nullptr;
    std::string origin;
    // Durable when it returns, with each row's place in it; acts behind the erasures of a batch.
    // Engine thread, and Create.
    std::function<Status(std::span<ErasureRow>)> append_to_ledger;
    std::function<Status(std::span<const ActRow>)> append_acts;
    // What the rooms keep, each with its statements prepared.
    std::function<Result<RoomStates>(Database&)> open_rooms;
    KeyStoreRewrite::Options keys_rewrite = {};  // logs to `log`, as the next
    VaultRewrite::Options vault_rewrite = {};
    // Goes on with state that is not what the log last recorded, and records it.
    bool take_over_state = false;
  };

  // Takes the opened and migrated databases. Rebuilds the log's head and finishes erasures that a
  // crash interrupted. The engine does not run until Start(). Errors: kCorrupted "state_differs".
  static Result<std::unique_ptr<Engine>> Create(Database vault, Database keys,
                                                const crypto::Keyring& keyring,
                                                std::unique_ptr<KeyCache> cache, Options options);
  // Whether that would go well, by connections that only read, each in a transaction. Errors: as
  // Create.
  static Status Check(Database vault, Database keys, const crypto::Keyring& keyring,
                      Options options);
  ~Engine();
  void Start();
  void Stop();  // runs what is queued, then ends the thread

  // Runs `work` in the shared transaction and returns after the commit, with the work's own status
  // or that of the commit. `entry` comes filled as far as the caller knows it; an operation that
  // fails without an outcome gets its error's reason. Thread-safe; not from the engine thread.
  Status Run(OperationKind kind, EntryRule rule, audit::Entry& entry,
             FunctionRef<Status(Transaction&)> work);
  using Operation = EngineOperation;
  // The same of many, in their order and in few commits, for who does not wait for each: beside
  // what Run is called for only so many of them are done at a time. Thread-safe; not from the
  // engine thread.
  void RunInBulk(std::span<Operation> operations);
  static constexpr std::size_t kBulkBeside = 32, kBulkAlone = 256;
  // After that time a batch takes up no further one of them.
  static constexpr std::chrono::milliseconds kBulkTime{10};

  // For what these, and a room, say any thread may ask for.
  const VaultRewrite& vault_rewrite() const { return *vault_rewrite_; }
  const KeyStoreRewrite& keys_rewrite() const { return *keys_rewrite_; }
  template <class State>
  State& Of() const {
    return rooms_.Of<State>();
  }
  KeyCache& key_cache() { return *cache_; }
  EngineStatistics Statistics() const;
  // Operations that leave entries: whether anybody asks for anything.
  std::uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }
  bool healthy() const { return healthy_.load(std::memory_order_acquire); }
  // For a checkpoint of exactly this state; call from inside an operation.
  const audit::LogHead& HeadInTransaction() const { return writer_->head(); }
  // What was committed since this was asked last (WriteAheadLog); from inside an operation.
  ChangedPages TakeChangedPages() { return {vault_wal_->TakeChanges(), keys_wal_->TakeChanges()}; }
  // What was taken over, in words.
  const std::optional<std::string>& state_difference() const { return state_difference_; }

  // False: the keys of some of these are not destroyed yet. Not from the engine thread.
  bool AwaitDestroyed(std::span<const ErasureRow> rows, std::chrono::milliseconds at_most);
  // Since this was asked last, some were destroyed for which nobody may have waited so long.
  bool TakeDestroyedLate() { return destroyed_late_.exchange(false); }
  void PutBackDestroyedLate() { destroyed_late_ = true; }

 private:
  friend class Transaction;
  // Between two tries at keys that cannot be destroyed while somebody holds keys.db.
  static constexpr std::chrono::milliseconds kDestroyAgainAfter{200};

  struct Batch {
    std::vector<Operation*> operations;  // first those that are waited for one by one
    std::size_t single = 0;
    std::size_t done = 0;  // how many it came to
    bool failed = false;
  };

  Engine() = default;
  void AwaitBatch(std::uint32_t batch);
  void FinishBatch();
  void FinishBulk(const Batch& batch);
  Result<UnwrappedKeys> UnwrapKeys(const ClientKeyId& current);
  Status FindResealing();
  void BeginResealing(const ClientKeyId& key, std::uint64_t who);
  void EndResealing(const ClientId& client);
  static Result<std::unique_ptr<Engine>> Connect(Database vault, Database keys,
                                                 const crypto::Keyring& keyring, Options options);
  Status Load();  // the log's head, and the rooms, from the database
  void Loop();
  void RunBatch(Batch& batch);
  Status RunOperations(Batch& batch);
  Status RunBulk(Batch& batch);
  Status RunOne(Operation& operation);
  Status TakeOver(Transaction& transaction);
  Status AppendEntries(Transaction& transaction, Operation& operation);
  Status AppendEntry(audit::Entry& entry);
  Status PutNotes(const Transaction& transaction, std::size_t entry, std::uint64_t seq);
  Status CompareState(bool take_over);
  Status OpenState(bool take_over);
  void RecordState(audit::Entry& entry);
  Status StoreState();
  Status CommitBatch();
  void AbandonBatch(const Error& why);
  void FinishErasures();
  void AppendActs();
  void DestroyPending();
  Status MarkDestroyed();
  void TellPending(bool any);
  bool keys_pending() const { return !undestroyed_.empty() || !stray_keys_.empty(); }
  Status DestroyKeys();
  void RetireKeys();
  void EmptyWal();
  Status CollectUnfinished();
  void Maintain(bool idle);
  Status BeginKeys();
  [[noreturn]] void Die(std::string_view why);
  void Log(Severity severity, const std::string& message) const;

  Options options_;
  const crypto::Keyring* keyring_ = nullptr;
  Database vault_;
  Database keys_;
  std::unique_ptr<WriteAheadLog> vault_wal_, keys_wal_;
  std::unique_ptr<CommittedState> state_;  // ends before `vault_`, whose functions it is
  std::unique_ptr<Stores> stores_;
  RoomStates rooms_;
  std::unique_ptr<KeyCache> cache_;
  struct BatchStatements {
    Statement begin, commit, savepoint, release, rollback_to;
  };
  BatchStatements statements_;
  std::unique_ptr<KeyStoreRewrite> keys_rewrite_;
  std::unique_ptr<VaultRewrite> vault_rewrite_;

  // Engine thread only.
  std::unique_ptr<audit::LogWriter> writer_;
  // Of the committed state: what the log says, and up to which entry vault.db knows of it.
  struct StateInLog {
    std::optional<StateSums> sums = StateSums{};  // absent: something else
    std::optional<std::uint64_t> seq;
    std::uint64_t known_to = 0;
  };
  StateInLog state_in_log_, durable_state_;  // the latter: as of the last commit
  StateSums durable_sums_{};
  std::optional<std::string> state_difference_;
  bool keys_open_ = false;  // a transaction on keys.db
  bool needs_reload_ = false;
  std::vector<ErasureRow> erased_;              // in this batch, or before a crash
  std::vector<ActRow> acted_;                   // in this batch
  std::vector<ErasureRow> undestroyed_;         // in the ledger, and their keys still in keys.db
  std::unordered_set<ClientId, IdHash> dying_;  // of both, clients that are gone
  bool keys_held_ = false;                      // by somebody else, at the last try
  std::chrono::steady_clock::time_point destroy_again_;
  std::vector<ClientKeyId> stray_keys_;  // belong to nothing any more
  std::vector<ClientKeyId> retired_;     // in this batch: the same once it is committed
  std::unordered_map<ClientId, ResealingState, IdHash> resealing_;  // clients of two keys
  // What was changed of it in this batch, as it was before.
  std::vector<std::pair<ClientId, std::optional<ResealingState>>> resealing_before_;
  RoomState* retiring_ = nullptr;  // whose keys go after this batch
  std::string entry_bytes_;
  std::vector<audit::FullTile> tiles_;
  Timestamp last_purge_, purge_waits_since_;
  bool purge_more_ = false;  // the last one took a portion, and there can be another

  std::mutex pending_mutex_;
  std::condition_variable pending_changed_;
  std::unordered_set<ErasureId, IdHash> pending_;  // of undestroyed_, while somebody holds keys.db
  std::atomic<bool> destroyed_late_{false};

  mutable std::mutex queue_mutex_;
  std::condition_variable queue_changed_;
  std::vector<Operation*> queue_;
  BulkQueue bulk_;
  std::condition_variable bulk_finished_;
  std::uint32_t collecting_ = 0;  // number of the batch that the queue will become
  bool idle_ = false;
  bool stopping_ = false;
  std::thread thread_;

  // The last finished batch of each parity. All who wait for one batch sleep on one word and are
  // woken by one call; the next batch's sleep on the other word, and the one after cannot begin
  // before.
  std::atomic<std::uint32_t> finished_[2] = {0xffff'fffe, 0xffff'ffff};
  std::uint32_t running_ = 0;  // engine thread only

  std::atomic<bool> healthy_{true};
  std::atomic<std::uint64_t> operations_{0}, requests_{0}, batches_{0}, commit_failures_{0},
      refused_full_{0}, largest_batch_{0}, commit_nanoseconds_{0}, log_size_{0};
};

}  // namespace coffer::vault
