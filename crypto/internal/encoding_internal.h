// Decoding into memory the caller owns, so that a secret's text becomes bytes without a copy on the
// heap.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace coffer::crypto::internal {

// False, with `out` partly written, unless `text` is 2 * out.size() lower-case hex digits. Takes
// the same time for every valid digit: no table is indexed by the secret.
[[nodiscard]] bool HexDecodeInto(std::string_view text, std::span<std::uint8_t> out);
// Writes 2 * bytes.size() characters.
void HexEncodeInto(std::span<const std::uint8_t> bytes, std::span<char> out);

}  // namespace coffer::crypto::internal
