#include "crypto/random.h"

#include <sodium.h>

namespace coffer::crypto {

// libsodium asks the operating system each time and aborts when refused. No buffer of our own:
// after a fork two processes would hand out the same nonces.
void FillRandom(std::span<std::uint8_t> out) {
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

Bytes RandomBytes(std::size_t size) {
  Bytes bytes(size);
  FillRandom(bytes);
  return bytes;
}

}  // namespace coffer::crypto
