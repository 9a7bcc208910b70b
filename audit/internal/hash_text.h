// Hashes as text, without the allocations of the general encoders.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/encoding.h"

namespace coffer::audit {

// 64 lower-case hex digits.
inline void AppendHex(const crypto::Hash& hash, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  char text[64];
  for (std::size_t i = 0; i < hash.size(); ++i) {
    text[2 * i] = kDigits[hash[i] >> 4];
    text[2 * i + 1] = kDigits[hash[i] & 0x0F];
  }
  out.append(text, sizeof text);
}

// False unless `text` is 64 lower-case hex digits.
inline bool ParseHex(std::string_view text, crypto::Hash& out) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  if (text.size() != 64) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

// False unless `text` is canonical base64 of exactly 32 bytes.
inline bool ParseBase64(std::string_view text, crypto::Hash& out) {
  if (text.size() != 44) return false;
  const auto bytes = crypto::Base64Decode(text);
  if (!bytes || bytes->size() != out.size()) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

}  // namespace coffer::audit
