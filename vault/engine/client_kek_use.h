// How many clients' keys are wrapped under which client-KEK, counted a part at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>

#include "crypto/client_keks.h"
#include "crypto/result.h"
#include "vault/engine/key_store.h"

namespace coffer::vault {

class ClientKekUse {
 public:
  // Goes on until `until`; false: there are none behind those that were counted.
  Result<bool> CountSome(KeyStore& keys, std::chrono::steady_clock::time_point until);
  // All of them at once.
  static Result<ClientKekUse> CountAll(KeyStore& keys);

  // By version; 0: of no form that names one.
  const std::map<std::uint32_t, std::uint64_t>& keys() const { return keys_; }
  std::uint64_t total() const { return total_; }
  std::uint64_t Under(std::uint32_t version) const;
  // Wrapped under one that is older than this.
  std::uint64_t UnderOlderThan(std::uint32_t version) const;

 private:
  std::int64_t position_ = std::numeric_limits<std::int64_t>::min();
  std::map<std::uint32_t, std::uint64_t> keys_;
  std::uint64_t total_ = 0;
};

// What an exchange of the client-KEK has not come to: keys under an older version than the newest
// that open under it. Those that do not open are read by nobody.
class ClientKeysLeft {
 public:
  // As ClientKekUse.
  Result<bool> CountSome(KeyStore& keys, const crypto::ClientKeks& keks,
                         std::chrono::steady_clock::time_point until);
  std::uint64_t keys() const { return keys_; }
  std::uint64_t damaged() const { return damaged_; }

 private:
  std::int64_t position_ = std::numeric_limits<std::int64_t>::min();
  std::uint64_t keys_ = 0, damaged_ = 0;
};

}  // namespace coffer::vault
