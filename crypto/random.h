// Random bytes from the operating system through libsodium (getrandom).
#pragma once

#include <span>

#include "crypto/bytes.h"

namespace coffer::crypto {

// Aborts the process when the operating system gives no entropy: no key, token or nonce is issued.
void FillRandom(std::span<std::uint8_t> out);
Bytes RandomBytes(std::size_t size);

}  // namespace coffer::crypto
