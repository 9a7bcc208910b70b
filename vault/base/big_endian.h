// Numbers in what is hashed or authenticated.
#pragma once

#include <cstdint>

#include "crypto/bytes.h"

namespace coffer::vault {

// Eight bytes, the most significant first.
inline void AppendU64(crypto::Bytes& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

// Of eight bytes at least.
inline std::uint64_t ReadU64(crypto::ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

}  // namespace coffer::vault
