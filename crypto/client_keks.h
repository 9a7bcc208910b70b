// The keys under which clients' data keys are wrapped, by version; the greatest wraps. Thread-safe:
// an exchange adds the next version, and forgets the one before, while others wrap and unwrap.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/encoding.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

class ClientKeks {
 public:
  // `keys` has one at least.
  ClientKeks(const Id128& vault_id, std::map<std::uint32_t, SecretBytes> keys);

  std::vector<std::uint32_t> versions() const;  // oldest first
  std::uint32_t newest() const;

  // All but the newest go from memory.
  void ForgetOlder();

  // `owner` is the client's id; the wrapping is bound to it and to the vault id.
  Bytes Wrap(ByteView data_key, const Id128& owner) const;
  // `out` has kAeadKeyBytes. Errors: kCorrupted, of a version that is not there
  // "client_kek_unknown".
  Status Unwrap(ByteView wrapped, const Id128& owner, std::span<std::uint8_t> out) const;
  // Under the newest; nothing where it is already. Errors: as Unwrap.
  Result<std::optional<Bytes>> Rewrap(ByteView wrapped, const Id128& owner) const;

  // The newest, for another holder of the one before it and of `other`: whoever has one of the two
  // alone does not open it. The envelope names the version. Errors: kNotFound "client_kek_unknown"
  // when there is none before.
  Result<Bytes> SealNewest(const SecretBytes& other) const;
  // Adds what the other sealed; false: it is there already, or older. Errors: kCorrupted.
  Result<bool> Take(ByteView sealed, const SecretBytes& other);

 private:
  Status UnwrapLocked(ByteView wrapped, const Id128& owner, std::span<std::uint8_t> out) const;
  Bytes WrapLocked(ByteView data_key, const Id128& owner) const;

  const Id128 vault_id_;
  mutable std::shared_mutex mutex_;
  std::map<std::uint32_t, SecretBytes> keys_;
};

}  // namespace coffer::crypto
