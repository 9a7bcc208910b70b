// The data keys of one client. What is sealed now is sealed under the current one, whose generation
// the envelope names. While what an erasure leaves is being sealed again (resealing.h) the one
// before lives too, and opens what does not name the current one: what older versions sealed names
// none.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "crypto/aead.h"
#include "vault/engine/key_cache.h"

namespace coffer::vault {

using crypto::Bytes;
using crypto::ByteView;

struct ClientKeys {
  ByteView current;
  std::uint64_t generation = 0;  // of the current one
  ByteView older = {};           // empty: it lives no more

  static constexpr std::uint32_t KeyIdOf(std::uint64_t generation) {
    return static_cast<std::uint32_t>(generation);
  }
  Bytes Seal(ByteView context, ByteView plaintext) const {
    return crypto::Seal(current, KeyIdOf(generation), context, plaintext);
  }
  // Errors: kCorrupted.
  Result<Bytes> Open(ByteView context, ByteView sealed) const {
    return crypto::Open(older.empty() || IsCurrent(sealed) ? current : older, context, sealed);
  }
  // The envelope names the current key, as all do from the generation's begin on.
  bool IsCurrent(ByteView sealed) const {
    const auto id = crypto::KeyIdOf(sealed);
    return id && *id == KeyIdOf(generation);
  }
};

class PinnedKeys {
 public:
  explicit PinnedKeys(KeyCache::Pin current, std::optional<KeyCache::Pin> older = std::nullopt)
      : current_(std::move(current)), older_(std::move(older)) {}
  ClientKeys Expose() const {
    return {current_.ExposeSecret(), current_.generation(),
            older_ ? older_->ExposeSecret() : ByteView()};
  }
  // False: what is sealed under it now would be under no key of the client, or under one that goes.
  bool IsCurrent() const { return current_.IsCurrent(); }

 private:
  KeyCache::Pin current_;
  std::optional<KeyCache::Pin> older_;
};

// In memory of the caller's, past the cache: for whoever goes through all clients.
struct UnwrappedKeys {
  crypto::SecretBytes current;
  std::uint64_t generation = 0;
  std::optional<crypto::SecretBytes> older = {};

  ClientKeys Expose() const {
    return {current.ExposeSecret(), generation, older ? older->ExposeSecret() : ByteView()};
  }
};

}  // namespace coffer::vault
