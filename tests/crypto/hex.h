// Known answers are published in hexadecimal.
#pragma once

#include <stdexcept>

#include "crypto/bytes.h"
#include "crypto/encoding.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

inline Bytes Hex(std::string_view text) {
  auto bytes = HexDecode(text);
  if (!bytes) throw std::invalid_argument("a test's hexadecimal is malformed");
  return *std::move(bytes);
}

inline SecretBytes SecretHex(std::string_view text) { return SecretBytes::CopyOf(Hex(text)); }

}  // namespace coffer::crypto
