// Reading beside the engine: connections of their own, which see one state of vault.db.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "crypto/keyring.h"
#include "vault/engine/log_store.h"
#include "vault/storage/sqlite.h"
#include "vault/storage/vault_database.h"

namespace coffer::vault {

class SnapshotReader;

// A few connections, which are handed on. Short reads (a tile, a proof: some hundred rows by their
// keys) have a bound of their own, which is wide enough for the programs of others that fetch a log
// with many hands at once; long ones cannot keep them out.
class SnapshotReaders {
 public:
  enum class Kind : std::uint8_t { kLong, kShort };
  // All must outlive it. `in_use`: VaultRewrite::in_use.
  SnapshotReaders(std::string directory, const crypto::Keyring& keyring, VaultKeyInUse& in_use)
      : directory_(std::move(directory)), keyring_(keyring), in_use_(in_use) {}
  // Errors: kExhausted "too_many_long_reads", "too_many_short_reads".
  Result<std::unique_ptr<SnapshotReader>> Open(Kind kind = Kind::kLong);
  // Connections that wait for the next reader are closed: they keep the file that they began with.
  void DropIdle();

 private:
  friend class SnapshotReader;
  struct Connection {
    Database database;
    std::unique_ptr<LogStore> log;
  };
  std::atomic<int>& running(Kind kind) { return kind == Kind::kLong ? long_ : short_; }

  const std::string directory_;
  const crypto::Keyring& keyring_;
  VaultKeyInUse& in_use_;
  std::atomic<int> long_{0}, short_{0};
  std::mutex idle_mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

class SnapshotReader {
 public:
  ~SnapshotReader();
  SnapshotReader(const SnapshotReader&) = delete;
  SnapshotReader& operator=(const SnapshotReader&) = delete;
  LogStore& log() { return *connection_->log; }
  Database& database() { return connection_->database; }

 private:
  friend class SnapshotReaders;
  SnapshotReader(SnapshotReaders& readers, SnapshotReaders::Kind kind)
      : readers_(readers), kind_(kind) {}

  SnapshotReaders& readers_;
  SnapshotReaders::Kind kind_;
  std::unique_ptr<SnapshotReaders::Connection> connection_;
};

}  // namespace coffer::vault
