// Owner of a secret: locked, guarded and zeroed memory (libsodium sodium_malloc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::crypto {

// Must succeed once before anything else of crypto/ is used; idempotent and thread-safe. Also
// switches core dumps off for the process (RLIMIT_CORE 0, PR_SET_DUMPABLE 0).
Status InitializeCrypto();

// Move-only; compares in constant time; no operator<<, no conversion to text. The bytes are reached
// only through ExposeSecret(), so that every exposure can be found by that name. Each object takes
// several pages (guards included): for keys that live long, not for a key per request.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size);  // zero-filled; aborts when no memory is left
  static SecretBytes CopyOf(ByteView bytes);
  static SecretBytes Random(std::size_t size);

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  SecretBytes Clone() const;

  ByteView ExposeSecret() const { return {data_, size_}; }
  std::span<std::uint8_t> ExposeSecretForWriting() { return {data_, size_}; }

  friend bool operator==(const SecretBytes& a, const SecretBytes& b);  // constant time

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Constant time for equal lengths; different lengths are unequal.
bool ConstantTimeEqual(ByteView a, ByteView b);

// Overwrites memory in a way the compiler may not leave out.
void Wipe(std::span<std::uint8_t> memory);

}  // namespace coffer::crypto
