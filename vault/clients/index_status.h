// How the search index stands.
#pragma once

#include <cstdint>
#include <optional>

#include "vault/base/timestamp.h"

namespace coffer::vault {

// The search index and its key, which is exchanged some time after something was deleted: until
// then, who has an older copy of vault.db and today's keys can ask it for values.
struct IndexStatus {
  std::uint64_t generation = 0;  // 0: under the key in the keyring
  bool whole = true;             // false: it is made by other rules, or from nothing
  bool building = false;         // the next generation
  std::uint64_t built = 0;       // clients and records that it has
  bool retiring = false;         // the generation before is being destroyed
  std::optional<Timestamp> exchanged;
  // The oldest deletion that it does not cover, when the exchange begins and since when it is late.
  std::optional<Timestamp> oldest_uncovered, due;
  bool overdue = false;
};

}  // namespace coffer::vault
