// The keys under which clients' data keys are wrapped, by version; the greatest wraps. Thread-safe:
// an exchange adds the next version, and forgets the one before, while others wrap and unwrap.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "crypto/bytes.h"
#include "crypto/encoding.h"
#include "crypto/result.h"
#include "crypto/versioned_keys.h"

namespace coffer::crypto {

class ClientKeks : public VersionedKeys {
 public:
  ClientKeks(const Id128& vault_id, Map keys);

  // `owner` is the client's id; the wrapping is bound to it and to the vault id.
  Bytes Wrap(ByteView data_key, const Id128& owner) const;
  // `out` has kAeadKeyBytes. Errors: kCorrupted, of a version that is not there
  // "client_kek_unknown".
  Status Unwrap(ByteView wrapped, const Id128& owner, std::span<std::uint8_t> out) const;
  // Under the newest; nothing where it is already. Errors: as Unwrap.
  Result<std::optional<Bytes>> Rewrap(ByteView wrapped, const Id128& owner) const;

 private:
  Status UnwrapBy(const Map& keys, ByteView wrapped, const Id128& owner,
                  std::span<std::uint8_t> out) const;
  Bytes WrapBy(const Map& keys, ByteView data_key, const Id128& owner) const;

  const Id128 vault_id_;
};

}  // namespace coffer::crypto
