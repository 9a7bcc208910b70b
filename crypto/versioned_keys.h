// The versions of one of the keyring's keys that can be exchanged while others use it: the greatest
// is the one that is used from now on. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/encoding.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

class VersionedKeys {
 public:
  using Map = std::map<std::uint32_t, SecretBytes>;
  // `name` as in keyring.json. `keys` has one at least, each of kAeadKeyBytes.
  VersionedKeys(std::string_view name, const Id128& vault_id, Map keys);

  std::vector<std::uint32_t> versions() const;  // oldest first
  std::uint32_t newest() const { return newest_.load(std::memory_order_acquire); }
  SecretBytes Newest() const;
  std::optional<SecretBytes> Find(std::uint32_t version) const;

  // With all of them, while nobody changes them.
  template <class Work>
  auto Read(const Work& work) const {
    const std::shared_lock lock(mutex_);
    return work(keys_);
  }

  // It goes from memory. Precondition: it is not the newest.
  void Forget(std::uint32_t version);
  // All but the newest do.
  void ForgetOlder();

  // The newest, for another holder of the one before it and of `other`: whoever has one of the two
  // alone does not open it. The envelope names the version. Errors: kNotFound "key_version_unknown"
  // when there is none before.
  Result<Bytes> SealNewest(const SecretBytes& other) const;
  // Adds what the other sealed; false: it is there already, or older. Errors: kCorrupted.
  Result<bool> Take(ByteView sealed, const SecretBytes& other);

 private:
  std::string HandOverContext() const;
  Bytes HandOverDetail(std::uint32_t version) const;

  const std::string name_;
  const Id128 vault_id_;
  mutable std::shared_mutex mutex_;
  Map keys_;
  std::atomic<std::uint32_t> newest_;
};

}  // namespace coffer::crypto
