// The keys that sign the log, by version: one, or two while one is exchanged. Thread-safe: an
// exchange adds the next one and takes the one before away, while others sign.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/encoding.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"
#include "crypto/sign.h"
#include "crypto/versioned_keys.h"

namespace coffer::crypto {

class SigningKeys {
 public:
  struct Held {
    std::uint32_t version = 0;              // from 1; a version is never used again
    bool retiring = false;                  // signs no more, and is about to be destroyed
    std::shared_ptr<const SigningKey> key;  // whoever signs with it may keep it until it has signed
  };
  // `name` as in keyring.json. `held` has one at least, oldest first, of which only the first of
  // several may be retiring.
  SigningKeys(std::string_view name, const Id128& vault_id, std::vector<Held> held);

  std::vector<Held> held() const;  // oldest first
  // The newest, which never retires.
  std::shared_ptr<const SigningKey> Newest() const;

  // The newest, on its way to another process that has the one before: VersionedKeys::SealNewest.
  Result<Bytes> SealNewest(const SecretBytes& other) const;
  // What another process sealed so; nothing: it is held already, or older. Changes nothing. Errors:
  // kCorrupted.
  Result<std::optional<Held>> OpenNext(ByteView sealed, const SecretBytes& other) const;
  // Signs from now on, where it is newer than those that are held.
  void Add(Held next);
  // The oldest of two signs no more.
  void RetireOldest();
  // A retiring one goes from memory, when whoever signs with it at this moment is done.
  void ForgetRetiring();

 private:
  VersionedKeys Seeds() const;

  const std::string name_;
  const Id128 vault_id_;
  mutable std::mutex mutex_;
  std::vector<Held> held_;
};

}  // namespace coffer::crypto
