// Wrapped keys of clients, and of the search index, in keys.db.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/secret_bytes.h"
#include "vault/base/ids.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// A client whose records were erased in part has a key of the next generation.
struct ClientKeyId {
  ClientId client = {};
  std::uint64_t generation = 0;
  static constexpr std::uint64_t kNewest = std::numeric_limits<std::int64_t>::max();
};

// A row, for whoever goes through all of them.
struct WrappedClientKey {
  std::int64_t row = 0;
  ClientId client = {};
  Bytes wrapped;
};

class KeyStore {
 public:
  static Result<KeyStore> Open(Database& database);
  // For looking only, also where every client has its first key yet: Find and ListAfter.
  static Result<KeyStore> OpenForReading(const Database& database);
  Status Put(const ClientKeyId& key, ByteView wrapped);
  Result<std::optional<Bytes>> Find(const ClientKeyId& key);
  Result<std::optional<std::uint64_t>> OldestGeneration(const ClientId& client);
  // All but the first ones of their clients.
  Result<std::vector<ClientKeyId>> LaterGenerations();
  // In the order of the rows; empty: there are none.
  Result<std::vector<WrappedClientKey>> ListAfter(std::int64_t row, std::size_t most);
  Status Rewrap(std::int64_t row, ByteView wrapped);
  Status Delete(const ClientKeyId& key);
  Status DeleteUpTo(const ClientKeyId& newest);
  // Keys of the search index, wrapped, by generation.
  Result<std::vector<std::pair<std::uint64_t, Bytes>>> IndexKeys();
  Status PutIndexKey(std::uint64_t generation, ByteView wrapped);
  Status DeleteIndexKeysBut(std::uint64_t generation);

 private:
  Statement put_, find_, oldest_, later_, list_, rewrap_, delete_, delete_up_to_, index_keys_,
      put_index_key_, delete_index_keys_;
};

}  // namespace coffer::vault
