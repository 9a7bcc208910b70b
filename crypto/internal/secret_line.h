// The line of a file that is a secret, without what editors put around it.
#pragma once

#include <algorithm>
#include <array>

#include "crypto/bytes.h"

namespace coffer::crypto::internal {

inline constexpr std::array<std::uint8_t, 3> kByteOrderMark{0xef, 0xbb, 0xbf};

inline bool StartsWith(ByteView content, ByteView beginning) {
  return content.size() >= beginning.size() &&
         std::ranges::equal(content.first(beginning.size()), beginning);
}

// UTF-16, as some editors call "Unicode": each second byte would be taken for a part of the secret.
inline bool IsUtf16(ByteView content) {
  static constexpr std::uint8_t kLittle[] = {0xff, 0xfe}, kBig[] = {0xfe, 0xff};
  return StartsWith(content, kLittle) || StartsWith(content, kBig);
}

inline ByteView FirstLine(ByteView content) {
  const auto end = std::ranges::find(content, std::uint8_t{'\n'});
  return content.first(static_cast<std::size_t>(end - content.begin()));
}

// Neither a byte order mark nor the end of the line is part of what a person wrote; blanks may be.
inline ByteView SecretOf(ByteView line) {
  if (StartsWith(line, kByteOrderMark)) line = line.subspan(kByteOrderMark.size());
  while (!line.empty() && line.back() == '\r') line = line.first(line.size() - 1);
  return line;
}

}  // namespace coffer::crypto::internal
