#include "audit/text/utf8.h"

namespace coffer::audit {

Utf8Sequence NextUtf8(std::string_view rest) {
  // The end of the text reads as 0, which no sequence continues with.
  const auto at = [&](std::size_t i) -> unsigned {
    return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U;
  };
  const unsigned lead = at(0);
  if (lead < 0x80) return {1, true, lead};

  std::size_t following = 0;
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    following = 1;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    following = 2;
    if (lead == 0xE0) low = 0xA0;   // overlong
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    following = 3;
    if (lead == 0xF0) low = 0x90;   // overlong
    if (lead == 0xF4) high = 0x8F;  // beyond U+10FFFF
  } else {
    return {1, false, 0};
  }

  char32_t code_point = lead & (0x3FU >> following);
  for (std::size_t i = 1; i <= following; ++i) {
    const unsigned byte = at(i);
    if (byte < low || byte > high) return {i, false, 0};
    code_point = (code_point << 6) | (byte & 0x3FU);
    low = 0x80;
    high = 0xBF;
  }
  return {following + 1, true, code_point};
}

}  // namespace coffer::audit
