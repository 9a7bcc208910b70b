// vault.db written anew under the newest of the keyring's vault-db keys, while it serves; the next
// start, or whoever has the root key, destroys the older one then. On the engine thread, in small
// steps between batches.
//
//   1. vault.db.next is made under the newest key; its pages are copied, some a step, and those
//      that commits change meanwhile copied again (vault/storage/page_copy.h)
//   2. vault.db.next is synced, on a thread of its own
//   3. when nobody reads what is only in its WAL, vault.db is checkpointed, and the last pages are
//      copied and synced
//   4. vault.db is closed, its WAL removed; vault.db.next takes its name, and the engine's
//      connection goes on with it
//
// Nothing is committed between 3 and 4. A crash before the rename leaves vault.db as it was, one
// after it a vault.db that opens with the newer key: OpenVaultDatabase() tries both, and a start
// removes vault.db.next. Where it has stood is not stored: a copy that did not come to its end is
// begun anew.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <optional>

#include "crypto/keyring.h"
#include "vault/base/open_file.h"
#include "vault/base/operator_log.h"
#include "vault/storage/page_copy.h"
#include "vault/storage/sqlite.h"
#include "vault/storage/vault_database.h"

namespace coffer::vault {

class VaultRewrite {
 public:
  struct Options {
    std::uint32_t key_version = 0;    // that `vault` opened by; 0: the newest
    std::uint32_t retry_ms = 60'000;  // after an attempt that failed
    // So many bytes stay free beside the copy: who serves needs them more.
    std::uint64_t spare_bytes = std::uint64_t{256} << 20;
    int cache_kib = 2048;  // of the engine's connection
    OperatorLog log;
  };
  // `vault` is the one connection that writes, and outlives this, as the keyring. `exchanged` is
  // called when `vault` has gone on with another file. Errors of it end the
  // process.
  VaultRewrite(Database& vault, const crypto::Keyring& keyring, std::function<Status()> exchanged,
               Options options);
  ~VaultRewrite();
  VaultRewrite(const VaultRewrite&) = delete;
  VaultRewrite& operator=(const VaultRewrite&) = delete;

  // What is due now, about 2 ms of it, with no transaction open, and with rests unless the engine
  // is `idle`; the last step takes as long as opening a database. An attempt that fails is given up
  // and begun anew later. Errors: those after which the process must end, of which is all that
  // fails in the last step: a start finds vault.db whole, under either key.
  Status Step(bool idle);
  // The next step should follow at once.
  bool working() const { return copy_.has_value() && !waiting_; }
  // Drops a copy that is under way, as a crash would.
  void Abandon();

  // Thread-safe, as are the others below. The version of the key that vault.db lies under; for who
  // reads beside the engine, more.
  std::uint32_t key_version() const { return in_use_.version.load(); }
  VaultKeyInUse& in_use() const { return in_use_; }
  struct Progress {
    std::uint64_t copied = 0, total = 0;  // pages
  };
  Progress progress() const { return {copied_.load(), total_.load()}; }

 private:
  using Clock = std::chrono::steady_clock;

  bool Due() const;
  Result<bool> GoOn();
  Status Begin();
  Status CheckRoom(std::uint64_t more_bytes) const;
  Status Copy();
  Status StartSync();
  // True: vault.db.next is complete and durable, and nothing is only in the WAL of vault.db.
  Result<bool> Complete();
  Status Exchange();
  Status Replace();
  void GiveUp(const Error& why);
  void Drop();
  void Tell();
  void Log(Severity severity, const std::string& message) const;

  Database& vault_;
  const crypto::Keyring& keyring_;
  const std::function<Status()> exchanged_;
  const Options options_;

  // Of the attempt under way.
  std::optional<PageCopy> copy_;
  std::uint32_t next_version_ = 0;
  OpenFile file_, directory_;
  std::future<bool> syncing_;
  bool synced_ = false;
  Clock::time_point synced_at_;
  bool waiting_ = false;  // for a reader, or for the disk
  Clock::time_point stepped_;
  std::optional<Clock::time_point> failed_;

  mutable VaultKeyInUse in_use_;
  std::atomic<std::uint64_t> copied_{0}, total_{0};
};

}  // namespace coffer::vault
