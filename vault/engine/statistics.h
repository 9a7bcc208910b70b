// What the engine counts, for monitoring.
#pragma once

#include <cstdint>

namespace coffer::vault {

struct EngineStatistics {
  std::uint64_t operations = 0, batches = 0, commit_failures = 0, refused_full = 0;
  std::uint64_t queue_length = 0, largest_batch = 0, wal_frames = 0, keys_wal_frames = 0;
  std::uint64_t wal_bytes = 0, keys_wal_bytes = 0;  // of the files
  std::uint64_t key_cache_entries = 0, log_size = 0, checkpoint_size = 0;
  std::uint64_t commit_nanoseconds = 0;  // in total
  std::uint64_t keys_rewrites = 0;       // of keys.db, since the start
  // Clients were erased whose keys are not yet beyond the reach of who has the key of keys.db.
  bool keys_rewrite_pending = false;
  // Since an erasure somebody reads so long that the WAL of vault.db still has its pages.
  bool wal_truncation_pending = false;
};

}  // namespace coffer::vault
