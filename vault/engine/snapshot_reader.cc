#include "vault/engine/snapshot_reader.h"

#include "vault/storage/data_directory.h"

namespace coffer::vault {
namespace {

constexpr int kMaxLongReads = 4;
constexpr int kMaxShortReads = 64;
// Each has some 2 MiB of pages.
constexpr std::size_t kMaxIdleReaders = 12;
constexpr int kSnapshotCacheKib = 2048;

}  // namespace

Result<std::unique_ptr<SnapshotReader>> SnapshotReaders::Open(Kind kind) {
  std::unique_ptr<SnapshotReader> taken(new SnapshotReader(*this, kind));
  if (running(kind).fetch_add(1) >= (kind == Kind::kLong ? kMaxLongReads : kMaxShortReads)) {
    return Fail(Code::kExhausted,
                kind == Kind::kLong ? "too_many_long_reads" : "too_many_short_reads");
  }
  auto& connection = taken->connection_;
  {
    const std::lock_guard lock(idle_mutex_);
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (connection) return taken;
  connection = std::make_unique<Connection>();
  COFFER_ASSIGN(connection->database, ReadVaultDatabase(VaultDatabasePath(directory_), keyring_,
                                                        in_use_, kSnapshotCacheKib));
  COFFER_ASSIGN(connection->log, LogStore::Open(connection->database));
  return taken;
}

void SnapshotReaders::DropIdle() {
  const std::lock_guard lock(idle_mutex_);
  idle_.clear();
}

SnapshotReader::~SnapshotReader() {
  readers_.running(kind_).fetch_sub(1);
  // What ended within a transaction is not handed on.
  if (!connection_ || !connection_->log || database().InTransaction()) {
    return;
  }
  const std::lock_guard lock(readers_.idle_mutex_);
  if (readers_.idle_.size() < kMaxIdleReaders) readers_.idle_.push_back(std::move(connection_));
}

}  // namespace coffer::vault
