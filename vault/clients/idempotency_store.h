// Idempotency keys: what a request that is repeated made the first time.
#pragma once

#include <cstdint>
#include <optional>

#include "audit/text/clock.h"
#include "crypto/hash.h"
#include "vault/base/ids.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

using audit::Timestamp;

class IdempotencyStore {
 public:
  static Result<IdempotencyStore> Open(Database& database);
  struct Row {
    crypto::Hash body{};
    Id128 object{};
  };
  Result<std::optional<Row>> Find(const crypto::Hash& key);
  Status Insert(const crypto::Hash& key, const Row& row, std::int64_t client, Timestamp now);
  Status DeleteOf(std::int64_t client);
  Status DeleteObject(std::int64_t client, const Id128& object);
  // A portion of what was made before or after these. Whether there was any: there can be more.
  Result<bool> PurgeOutside(Timestamp oldest, Timestamp newest);

 private:
  Statement find_, insert_, delete_of_, delete_object_, purge_;
};

}  // namespace coffer::vault
