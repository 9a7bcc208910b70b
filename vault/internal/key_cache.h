// Unwrapped client keys in one locked slab, bounded. A key in use is pinned; a removed key is wiped
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
#include "vault/ids.h"
#include "vault/internal/function_ref.h"

namespace coffer::vault {

class KeyCache {
 public:
  class Pin {
   public:
    Pin(Pin&& other) noexcept : cache_(std::exchange(other.cache_, nullptr)), slot_(other.slot_) {}
    Pin& operator=(Pin&& other) noexcept {
      std::swap(cache_, other.cache_);
      std::swap(slot_, other.slot_);
      return *this;
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() {
      if (cache_ != nullptr) cache_->Unpin(slot_);
    }
    crypto::ByteView ExposeSecret() const { return cache_->slab_->ExposeSlot(slot_); }
    bool IsCurrent() const;  // false from Remove() on: it is no key of the client any more

   private:
    friend class KeyCache;
    Pin(KeyCache* cache, std::uint32_t slot) : cache_(cache), slot_(slot) {}
    KeyCache* cache_;
    std::uint32_t slot_;
  };

  static Result<std::unique_ptr<KeyCache>> Create(std::size_t capacity, bool require_lock);

  std::optional<Pin> Find(const ClientId& client);
  // The cached key, or a new slot that `fill` writes. Errors: those of `fill`; kExhausted
  // "key_cache_full" when every slot is pinned.
  Result<Pin> FindOrInsert(const ClientId& client,
                           FunctionRef<Status(std::span<std::uint8_t>)> fill);
  // No Find succeeds from here on; wiped now or with the last pin.
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
  };
  KeyCache() = default;
  void Unpin(std::uint32_t slot);
  void Wipe(std::uint32_t slot);
  std::optional<std::uint32_t> FreeSlot();

  std::unique_ptr<crypto::SecretSlab> slab_;
  mutable std::mutex mutex_;
  std::condition_variable wiped_;
  std::unordered_map<ClientId, std::uint32_t, IdHash> index_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> doomed_;  // removed while pinned
  std::uint32_t hand_ = 0;
};

}  // namespace coffer::vault
