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
//   3. the erasure ledger     )
//   4. keys.db, destroyed     ) finished at the next start from erasures.state; generations that
//                             ) seal nothing any more are found in keys.db
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
#include <set>
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
#include "vault/access/access_store.h"
#include "vault/access/approval_store.h"
#include "vault/access/principal_store.h"
#include "vault/access/restriction.h"
#include "vault/access/restriction_store.h"
#include "vault/base/function_ref.h"
#include "vault/base/operator_log.h"
#include "vault/base/timestamp.h"
#include "vault/clients/client_store.h"
#include "vault/clients/record_store.h"
#include "vault/clients/search_index.h"
#include "vault/deletion/hold.h"
#include "vault/deletion/hold_store.h"
#include "vault/deletion/retention_store.h"
#include "vault/engine/client_keys.h"
#include "vault/engine/committed_state.h"
#include "vault/engine/damage_store.h"
#include "vault/engine/erasure_store.h"
#include "vault/engine/key_cache.h"
#include "vault/engine/log_store.h"
#include "vault/engine/registry_store.h"
#include "vault/engine/statistics.h"
#include "vault/storage/key_store_rewrite.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

struct Stores {
  std::unique_ptr<LogStore> log;
  ClientStore clients;
  RecordStore records;
  CatalogStore catalog;
  PrincipalStore principals;
  UserStore users;
  RevealStore reveals;
  IdempotencyStore idempotency;
  AccessStore access;
  ApprovalStore approvals;
  SettingStore settings;
  DamageStore damage;
  ErasureStore erasures;
  HoldStore holds;
  RestrictionStore restrictions;
  RetentionStore retention;
  SearchIndex index;
  KeyStore keys;  // in keys.db
};

// The request's, or all of a batch, where not even its entry can be made.
inline constexpr std::string_view kNoMemory = "memory_exhausted";

// Of a client of two keys. Kept when a batch is abandoned, it asks for more than is needed.
struct ResealingState {
  std::uint64_t by = 0;  // who took the last step; 0: before the start
  std::set<std::string, std::less<>> deleted_classes = {};  // see NoteDeletedOfNewerKey
};

class Engine;

// What one operation sees and leaves behind; engine thread only. Everything it leaves in memory is
// taken over only when the operation succeeded.
class Transaction {
 public:
  Stores& stores();
  const Catalog& catalog() const;
  Timestamp now() const { return now_; }
  const PrincipalRegister& principals() const;
  const AccessRegister& access() const;
  const HoldRegister& holds() const;
  const RestrictionRegister& restrictions() const;
  // That a session was used. Stored at most once a minute, and with the operation.
  Status Touch(const TokenRow& session, Timestamp now);

  // The client's data key, from the cache or keys.db, and the one before while both live. Errors:
  // kNotFound "not_found".
  Result<PinnedKeys> PinKey(const ClientId& client);
  // What is left of the client is being sealed again: it has two keys.
  bool IsResealing(const ClientId& client) const;
  // Null: it has one key.
  const ResealingState* ResealingOf(const ClientId& client) const;
  void ResealBy(const ClientId& client, std::uint64_t who);
  // While it has two keys: something of the class was under the newer one, and is there no more.
  void NoteDeletedOfNewerKey(const ClientId& client, std::string_view class_name);

  // One more entry, in front of the operation's own, with its call, actor and address.
  void Also(audit::Entry entry) { also_.push_back(std::move(entry)); }
  // Where it succeeds, nothing but these: the operation's own entry only lends them its actor.
  void LeaveNoOwnEntry() { own_entry_ = false; }
  std::span<audit::Entry> also() { return also_; }
  // A sealed reason, kept beside the operation's own entry, or beside one of also(). client 0:
  // under no client's key. In the order of the entries, the own one last.
  static constexpr std::size_t kOwnEntry = static_cast<std::size_t>(-1);
  void AttachNote(std::int64_t client, Bytes sealed, std::size_t entry = kOwnEntry) {
    notes_.push_back({entry, client, std::move(sealed)});
  }
  void AddKey(const ClientId& client, Bytes wrapped, std::uint64_t generation = 0) {
    added_keys_.emplace_back(ClientKeyId{client, generation}, std::move(wrapped));
  }
  // The next generation of its key, and the steps begin in which the rest is sealed again. Where it
  // has two already, nothing is sealed under the older, which is destroyed once this is committed.
  void BeginResealing(const ClientId& client, Bytes wrapped, std::uint64_t generation,
                      std::uint64_t who) {
    AddKey(client, std::move(wrapped), generation);
    begun_.push_back({{client, generation}, who});
  }
  // One of a generation whose commit never came.
  void DropKey(const ClientKeyId& key) { dropped_keys_.push_back(key); }
  // A key of the search index, for the generation that this operation begins.
  void AddIndexKey(std::uint64_t generation, crypto::SecretBytes key) {
    index_key_.emplace(generation, std::move(key));
    index_changed_ = true;
  }
  // The state of the index, or what is indexed, is another one.
  void IndexChanged() { index_changed_ = true; }
  // All keys of the index but that of the live generation are destroyed once this is committed.
  void RetireIndexKeys() { retire_index_keys_ = true; }
  // The client's keys in memory of the caller's, past the cache: for whoever goes through all of
  // them. Errors: kNotFound "not_found".
  Result<UnwrappedKeys> UnwrapKey(const ClientKeyId& current);
  // Its key goes, and the ledger gets it, once this is committed. The row is stored already.
  void Erased(ErasureRow row) { erased_.push_back(std::move(row)); }
  void ReplaceCatalog(Catalog catalog) {
    catalog_ = std::make_shared<const Catalog>(std::move(catalog));
  }
  void PutPrincipal(PrincipalRow row) { principals_.push_back(std::move(row)); }
  void PutToken(TokenRow row) { tokens_.push_back(std::move(row)); }
  void ForgetToken(const TokenId& id) { forgotten_tokens_.push_back(id); }
  void PutTeam(TeamRow row) { team_ = std::move(row); }
  void PutAssignment(AssignmentRow row) { assignment_ = std::move(row); }
  void RemoveAssignment(const ClientId& client, const PrincipalId& principal) {
    unassigned_ = {client, principal};
  }
  void PutLease(LeaseRow row) { leases_.push_back(std::move(row)); }
  void PutEmergency(EmergencyRow row) { emergencies_.push_back(std::move(row)); }
  void PutHold(Hold hold) { hold_ = std::move(hold); }
  void PutRestriction(Restriction restriction) { restrictions_.push_back(std::move(restriction)); }
  void RemoveRestriction(const ClientId& client, const RestrictionId& id) {
    unrestricted_ = {client, id};
  }
  // The number the operation's own entry will have, when it is the only one it leaves.
  std::uint64_t NextSeq() const;

 private:
  friend class Engine;
  Transaction(Engine& engine, Timestamp now) : engine_(engine), now_(now) {}

  Engine& engine_;
  Timestamp now_;
  std::vector<audit::Entry> also_;
  bool own_entry_ = true;
  struct Note {
    std::size_t entry;
    std::int64_t client;
    Bytes sealed;
  };
  std::vector<Note> notes_;
  std::vector<std::pair<ClientKeyId, Bytes>> added_keys_;
  std::vector<ClientKeyId> dropped_keys_;
  struct Begun {
    ClientKeyId key;
    std::uint64_t who;
  };
  std::vector<Begun> begun_;
  std::optional<std::pair<std::uint64_t, crypto::SecretBytes>> index_key_;
  bool index_changed_ = false, retire_index_keys_ = false;
  std::vector<ErasureRow> erased_;
  std::shared_ptr<const Catalog> catalog_;
  std::vector<PrincipalRow> principals_;
  std::vector<TokenRow> tokens_;
  std::vector<TokenId> forgotten_tokens_;
  std::optional<TeamRow> team_;
  std::optional<AssignmentRow> assignment_;
  std::optional<std::pair<ClientId, PrincipalId>> unassigned_;
  std::vector<LeaseRow> leases_;
  std::vector<EmergencyRow> emergencies_;
  std::optional<Hold> hold_;
  std::vector<Restriction> restrictions_;
  std::optional<std::pair<ClientId, RestrictionId>> unrestricted_;
};

enum class OperationKind { kRead, kWrite };
enum class EntryRule { kAlways, kOnRefusal, kNever };  // kNever: the engine's own housekeeping

class Engine {
 public:
  struct Options {
    std::size_t queue_limit = 4096;
    OperatorLog log;
    const audit::Clock* clock = nullptr;
    std::string origin;
    // Durable when it returns, with each row's place in it. Engine thread, and Create.
    std::function<Status(std::span<ErasureRow>)> append_to_ledger;
    KeyStoreRewrite::Options keys_rewrite = {};  // logs to `log`
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

  std::shared_ptr<const Catalog> catalog() const;
  KeyCache& key_cache() { return *cache_; }
  EngineStatistics Statistics() const;
  // Operations that leave entries, so far: whether anybody asks for anything.
  std::uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }
  IndexState index_state() const;
  bool healthy() const { return healthy_.load(std::memory_order_acquire); }
  // For a checkpoint of exactly this state; call from inside an operation.
  const audit::LogHead& HeadInTransaction() const { return writer_->head(); }
  // What was taken over, in words.
  const std::optional<std::string>& state_difference() const { return state_difference_; }

  // False: the keys of some of these are not destroyed yet. Not from the engine thread.
  bool AwaitDestroyed(std::span<const ErasureRow> rows, std::chrono::milliseconds at_most);
  // Since this was asked last, some were destroyed for which nobody may have waited so long.
  bool TakeDestroyedLate() { return destroyed_late_.exchange(false); }
  void PutBackDestroyedLate() { destroyed_late_ = true; }

 private:
  friend class Transaction;

  struct Operation {
    OperationKind kind;
    EntryRule rule;
    audit::Entry* entry;
    FunctionRef<Status(Transaction&)> work;
    Status status;
  };

  Engine() = default;
  void AwaitBatch(std::uint32_t batch);
  void FinishBatch();
  Result<UnwrappedKeys> UnwrapKeys(const ClientKeyId& current);
  Status FindResealing();
  void BeginResealing(const ClientKeyId& key, std::uint64_t who);
  void EndResealing(const ClientId& client);
  Status OpenHold(Hold& hold);
  static Result<std::unique_ptr<Engine>> Connect(Database vault, Database keys,
                                                 const crypto::Keyring& keyring, Options options);
  Status Load();  // head, catalog, principals, assignments, holds from the database
  void PublishCatalog(std::shared_ptr<const Catalog> catalog);
  void PublishIndexState();
  void Loop();
  void RunBatch(std::vector<Operation*>& batch);
  Status RunOperations(std::vector<Operation*>& batch);
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
  void DestroyPending();
  Status MarkDestroyed();
  void TellPending(bool any);
  bool keys_pending() const { return !undestroyed_.empty() || !stray_keys_.empty(); }
  Status DestroyKeys();
  void RetireIndexKeys();
  void TruncateWal();
  Status CollectUnfinished();
  void Maintain(bool idle);
  void CheckpointWal();
  void WarnOfWal(const std::string& message);
  void FollowKeysWal();
  void CheckpointKeys(bool truncate);
  Status BeginKeys();
  [[noreturn]] void Die(std::string_view why);
  void Log(Severity severity, const std::string& message) const;

  Options options_;
  const crypto::Keyring* keyring_ = nullptr;
  Database vault_;
  Database keys_;
  std::unique_ptr<CommittedState> state_;  // ends before `vault_`, whose functions it is
  std::unique_ptr<Stores> stores_;
  std::unique_ptr<KeyCache> cache_;
  struct BatchStatements {
    Statement begin, commit, savepoint, release, rollback_to;
  };
  BatchStatements statements_;
  std::unique_ptr<KeyStoreRewrite> keys_rewrite_;

  // Engine thread only.
  std::unique_ptr<audit::LogWriter> writer_;
  PrincipalRegister principals_;
  AccessRegister access_;
  HoldRegister holds_;
  RestrictionRegister restrictions_;
  std::shared_ptr<const Catalog> current_catalog_;
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
  std::vector<ErasureRow> undestroyed_;         // in the ledger, and their keys still in keys.db
  std::unordered_set<ClientId, IdHash> dying_;  // of both, clients that are gone
  bool keys_held_ = false;                      // by somebody else, at the last try
  std::chrono::steady_clock::time_point destroy_again_;
  std::vector<ClientKeyId> stray_keys_;  // belong to nothing any more
  std::vector<ClientKeyId> retired_;     // in this batch: the same once it is committed
  std::unordered_map<ClientId, ResealingState, IdHash> resealing_;  // clients of two keys
  // What was changed of it in this batch, as it was before.
  std::vector<std::pair<ClientId, std::optional<ResealingState>>> resealing_before_;
  bool retire_index_keys_ = false;
  std::string entry_bytes_;
  std::vector<audit::FullTile> tiles_;
  int wal_frames_ = 0;
  int wal_checkpoint_at_ = 0;
  int keys_wal_frames_ = 0;
  int keys_wal_checkpoint_at_ = 0;
  // Since an erasure: a reader holds frames that have its pages from before.
  std::chrono::steady_clock::time_point wal_truncation_tried_;
  std::chrono::milliseconds truncate_again_after_{};
  std::optional<std::chrono::steady_clock::time_point> warned_of_wal_;
  std::atomic<bool> wal_truncation_pending_{false};
  Timestamp last_purge_, purge_waits_since_;
  bool purge_more_ = false;  // the last one took a portion, and there can be another

  std::mutex pending_mutex_;
  std::condition_variable pending_changed_;
  std::unordered_set<ErasureId, IdHash> pending_;  // of undestroyed_, while somebody holds keys.db
  std::atomic<bool> destroyed_late_{false};

  mutable std::mutex catalog_mutex_;
  std::shared_ptr<const Catalog> published_catalog_;
  IndexState published_index_;  // as of the last change, committed or about to be

  mutable std::mutex queue_mutex_;
  std::condition_variable queue_changed_;
  std::vector<Operation*> queue_;
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
      refused_full_{0}, largest_batch_{0}, commit_nanoseconds_{0}, wal_gauge_{0},
      keys_wal_gauge_{0}, log_size_{0};
};

}  // namespace coffer::vault
