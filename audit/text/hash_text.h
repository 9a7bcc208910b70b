// Hashes as text, without the allocations of the general encoders.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
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

// The value of each lower-case hex digit; 0xFF for other characters.
inline constexpr std::array<std::uint8_t, 256> kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(0xFF);
  for (std::uint8_t i = 0; i < 10; ++i) values[std::size_t{'0'} + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i)
    values[std::size_t{'a'} + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

// False unless `text` is 64 lower-case hex digits.
inline bool ParseHex(std::string_view text, crypto::Hash& out) {
  if (text.size() != 2 * out.size()) return false;
  unsigned seen = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned high = kHexValues[static_cast<unsigned char>(text[2 * i])];
    const unsigned low = kHexValues[static_cast<unsigned char>(text[2 * i + 1])];
    seen |= high | low;
    out[i] = static_cast<std::uint8_t>((high << 4) | low);
  }
  return seen <= 0x0F;
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
