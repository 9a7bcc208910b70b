// How the search index is kept.
#pragma once

#include <cstdint>
#include <optional>

namespace coffer::vault {

struct IndexOptions {
  // After an erasure, backups of keys.db could bring the data back for so long; absent: unknown.
  std::optional<std::uint32_t> backup_horizon_days;
  // keys.db is rewritten so long after an erasure, and not more often than that.
  std::uint32_t keys_rewrite_after_ms = 5000;
  std::uint32_t keys_rewrite_interval_ms = 60'000;
  // How often it is looked whether the search index is to be rebuilt; 0: only by StepIndex(). And
  // how many of its rows one operation takes at most.
  std::uint32_t index_interval_ms = 500;
  std::uint32_t index_rows_per_step = 1000;
  // What is new in the index waits, in order of arrival and in memory (100 bytes each), until there
  // is more than that; 0: it is sorted in at once.
  std::uint32_t index_arrivals = 65'536;
  // While it is made by other rules, a search opens so many records that it has not come to.
  std::uint32_t index_rows_compared = 1000;
};

}  // namespace coffer::vault
