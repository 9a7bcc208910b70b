// Unwrapped client keys in one locked slab, bounded: the current one of each client, and the one
// before it where both live. A key in use is pinned; a removed key is wiped
// when its last pin goes, and an erasure waits for that before it is acknowledged.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crypto/aead.h"
#include "crypto/secret_slab.h"
#include "vault/base/function_ref.h"
#include "vault/base/ids.h"

namespace coffer::vault {

class KeyCache {
 public:
  class Pin {
   public:
    Pin(Pin&& other) noexcept
        : cache_(std::exchange(other.cache_, nullptr)),
          slot_(other.slot_),
          generation_(other.generation_) {}
    Pin& operator=(Pin&& other) noexcept {
      std::swap(cache_, other.cache_);
      std::swap(slot_, other.slot_);
      std::swap(generation_, other.generation_);
      return *this;
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() {
      if (cache_ != nullptr) cache_->Unpin(slot_);
    }
    crypto::ByteView ExposeSecret() const { return cache_->slab_->ExposeSlot(slot_); }
    std::uint64_t generation() const { return generation_; }
    // False from Remove() on: it is no key of the client any more; and from Demote() on: nothing is
    // to be sealed under it.
    bool IsCurrent() const;

   private:
    friend class KeyCache;
    Pin(KeyCache* cache, std::uint32_t slot, std::uint64_t generation)
        : cache_(cache), slot_(slot), generation_(generation) {}
    KeyCache* cache_;
    std::uint32_t slot_;
    std::uint64_t generation_;
  };

  static Result<std::unique_ptr<KeyCache>> Create(std::size_t capacity, bool require_lock);

  std::optional<Pin> Find(const ClientId& client);
  // The cached key, or a new slot that `fill` writes; it returns the key's generation. Errors:
  // those of `fill`; kExhausted "key_cache_full" when every slot is pinned.
  using Fill = FunctionRef<Result<std::uint64_t>(std::span<std::uint8_t>)>;
  Result<Pin> FindOrInsert(const ClientId& client, Fill fill) {
    return FindOrInsertIn(index_, client, fill);
  }
  // The same of the key before the client's current one.
  Result<Pin> FindOrInsertOlder(const ClientId& client, Fill fill) {
    return FindOrInsertIn(older_, client, fill);
  }
  // Another key is current from here on, and this one the one before; an older one is removed.
  void Demote(const ClientId& client);
  // No Find succeeds from here on, of either key; wiped now or with the last pin.
  void Remove(const ClientId& client);
  // Returns when no removed key of this client is pinned any more.
  void AwaitWiped(const ClientId& client);

  std::size_t size() const;
  bool locked() const { return slab_->locked(); }

 private:
  struct Slot {
    ClientId client;
    std::uint32_t pins = 0;
    bool live = false;    // false while pinned: removed, to be wiped with the last pin
    bool recent = false;  // second chance against eviction
    bool older = false;   // in older_, and not in index_
    std::uint64_t generation = 0;
  };
  using Index = std::unordered_map<ClientId, std::uint32_t, IdHash>;
  KeyCache() = default;
  Result<Pin> FindOrInsertIn(Index& index, const ClientId& client, Fill fill);
  void RemoveFrom(Index& index, const ClientId& client);
  void Unpin(std::uint32_t slot);
  void Wipe(std::uint32_t slot);
  std::optional<std::uint32_t> FreeSlot();

  std::unique_ptr<crypto::SecretSlab> slab_;
  mutable std::mutex mutex_;
  std::condition_variable wiped_;
  Index index_;
  Index older_;  // of the few clients that have two keys
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> doomed_;  // removed while pinned
  std::uint32_t hand_ = 0;
};

}  // namespace coffer::vault
