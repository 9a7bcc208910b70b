// keys.db written anew under a fresh key after keys were destroyed, and its old key destroyed: what
// free pages, the WAL and freed disk blocks still hold of the destroyed keys is then readable for
// nobody. On the engine thread, in small steps between batches.
//
//   1. keys.db.key gets a next key; keys.db.next is made under it
//   2. all rows are copied, a few a step; rows that change meanwhile are copied again
//   3. keys.db.next is synced, on a thread of its own, and then what was added since
//   4. keys.db is checkpointed and closed, its WAL removed; keys.db.next takes its name
//   5. keys.db.key keeps the next key alone
//
// A crash before the rename of step 4 leaves keys.db as it was, one after it a keys.db that opens
// with the next key: SettleKeysDatabase() tells, and undoes or finishes. Between the removal and
// the rename everything is synced: an old WAL beside a new database would be taken for its own.
//
// That keys.db needs to be rewritten is in keys.db itself, as user_version 1, since the transaction
// that destroyed keys. A new database has 0, or 1 again when keys were destroyed while it was made:
// it may have had them.
//
// It is also written anew while the keyring's keys-db key is exchanged, under which keys.db.key
// wraps: until that was done once under the newest, in this run.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/keyring.h"
#include "vault/base/open_file.h"
#include "vault/base/operator_log.h"
#include "vault/engine/key_store.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

class KeyStoreRewrite {
 public:
  struct Options {
    // After the last key was destroyed, or `interval_ms` after the first: whoever erases all the
    // time does not put it off for ever.
    std::uint32_t after_ms = 5000;
    std::uint32_t interval_ms = 60'000;  // from one start to the next, at least
    OperatorLog log;
  };
  // `keys` is the one connection to keys.db that writes, settled, and `store` its statements. Both
  // are replaced by a step that ends a rewrite, and must outlive this.
  static Result<std::unique_ptr<KeyStoreRewrite>> Create(Database& keys, KeyStore& store,
                                                         const crypto::Keyring& keyring,
                                                         Options options);
  ~KeyStoreRewrite();
  KeyStoreRewrite(const KeyStoreRewrite&) = delete;
  KeyStoreRewrite& operator=(const KeyStoreRewrite&) = delete;

  // Before the commit of what destroyed keys: that survives a restart then.
  Status Mark();
  // That commit did not come to be.
  void MarkUndone() { marked_ = false; }

  // What is due now, about 2 ms of it, with no transaction open; the last step of a rewrite takes
  // as long as a few commits. A rewrite that fails is given up and begun anew later. Errors: those
  // after which the process must end.
  Status Step();
  // The next step should follow at once.
  bool working() const { return phase_ == Phase::kCopying || phase_ == Phase::kSyncing; }
  // Drops a rewrite that is under way, as a crash would.
  void Abandon();

  // Thread-safe. Keys were destroyed that somebody with the key of keys.db may still find.
  bool pending() const { return pending_.load(std::memory_order_relaxed); }
  // The version of the keyring's keys-db key that keys.db.key is wrapped under, and nothing of
  // keys.db under a page key from before; 0 while that is not sure.
  std::uint32_t sealed_under() const { return sealed_under_.load(std::memory_order_relaxed); }
  std::uint64_t completed() const { return completed_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase { kIdle, kCopying, kSyncing, kPromoting };

  KeyStoreRewrite(Database& keys, KeyStore& store, const crypto::Keyring& keyring, Options options)
      : keys_(keys), store_(store), keyring_(keyring), options_(std::move(options)) {}
  void Watch();
  void Changed(bool added, std::int64_t row);
  void Destroyed();
  void Enter(Phase phase);
  void LookAtKeyring();
  bool Due() const;
  Status Begin();
  Status PrepareNext();
  Result<bool> Copy();
  Result<bool> CopySome();
  Status CopyIndexKeys();
  Status CopyAgain(std::int64_t row);
  Status StartSync();
  Result<bool> Synced();
  Status CompleteNext();
  Status Finish();
  void Promote();
  void GiveUp(const Error& why);
  void Log(Severity severity, const std::string& message) const;

  Database& keys_;
  KeyStore& store_;
  const crypto::Keyring& keyring_;
  const Options options_;

  Phase phase_ = Phase::kIdle;
  bool needed_ = false;
  bool marked_ = false;          // in keys.db
  std::uint32_t asked_for_ = 0;  // version of the keyring's key: what it is rewritten for
  Clock::time_point first_, last_;
  std::optional<Clock::time_point> started_, promoted_last_;

  // Of the rewrite under way.
  Database next_;
  Statement some_, one_, insert_, remove_;
  std::int64_t position_ = 0;          // the last row that was copied
  std::vector<std::int64_t> changed_;  // of those that were
  bool destroyed_meanwhile_ = false;
  std::uint32_t sealing_under_ = 0;
  OpenFile file_, directory_;
  std::future<bool> syncing_;

  std::atomic<bool> pending_{false};
  std::atomic<std::uint32_t> sealed_under_{0};
  std::atomic<std::uint64_t> completed_{0};
};

}  // namespace coffer::vault
