// One locked region divided into equal slots, for caches of many small keys: sodium_malloc takes
// pages per allocation, and RLIMIT_MEMLOCK is small, so a key each is not affordable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "crypto/result.h"

namespace coffer::crypto {

class SecretSlab {
 public:
  // Errors: kUnavailable "memory_lock_refused" when the region cannot be locked (RLIMIT_MEMLOCK)
  // and `require_lock` is set.
  static Result<std::unique_ptr<SecretSlab>> Create(std::size_t slots, std::size_t slot_bytes,
                                                    bool require_lock);
  ~SecretSlab();
  SecretSlab(const SecretSlab&) = delete;
  SecretSlab& operator=(const SecretSlab&) = delete;

  std::size_t slots() const { return slots_; }
  bool locked() const { return locked_; }
  // Precondition: index < slots(). The slots do not overlap; synchronisation is the caller's.
  std::span<std::uint8_t> ExposeSlot(std::size_t index);

 private:
  SecretSlab() = default;
  std::uint8_t* base_ = nullptr;
  std::size_t mapped_ = 0;
  std::size_t slots_ = 0;
  std::size_t slot_bytes_ = 0;
  bool locked_ = false;
};

}  // namespace coffer::crypto
