#include "crypto/internal/encoding_internal.h"

#include "crypto/internal/invariant.h"

namespace coffer::crypto::internal {
namespace {

// All ones when low <= c <= high, else zero. Precondition: all below 2^31.
constexpr std::uint32_t Within(std::uint32_t c, std::uint32_t low, std::uint32_t high) {
  return (((c - low) | (high - c)) >> 31) - 1;
}
static_assert(Within('0', '0', '9') == ~0U && Within('9', '0', '9') == ~0U);
static_assert(Within('/', '0', '9') == 0 && Within(':', '0', '9') == 0);

}  // namespace

bool HexDecodeInto(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() != out.size() * 2) return false;
  std::uint32_t all_valid = ~0U;
  const auto digit = [&](char character) {
    const std::uint32_t c = static_cast<std::uint8_t>(character);
    const std::uint32_t decimal = Within(c, '0', '9');
    const std::uint32_t letter = Within(c, 'a', 'f');
    all_valid &= decimal | letter;
    return (decimal & (c - '0')) | (letter & (c - 'a' + 10));
  };
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
  }
  return all_valid != 0;
}

void HexEncodeInto(std::span<const std::uint8_t> bytes, std::span<char> out) {
  Require(out.size() == bytes.size() * 2, "room for hexadecimal digits");
  const auto digit = [](std::uint32_t nibble) {
    return static_cast<char>('0' + nibble + (Within(nibble, 10, 15) & ('a' - '0' - 10)));
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = digit(bytes[i] >> 4);
    out[2 * i + 1] = digit(bytes[i] & 15);
  }
}

}  // namespace coffer::crypto::internal
