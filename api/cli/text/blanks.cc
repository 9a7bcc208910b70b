#include "api/cli/text/blanks.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstdint>

namespace coffer::cli {
namespace {

// By the first byte of a character alone: no blank begins with it.
bool BeginsSeen(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x80) return byte > 0x20 && byte < 0x7f;
  return byte != 0xc2 && (byte < 0xe1 || byte > 0xe3) && byte != 0xef;
}

bool EndsSeen(std::string_view text) {
  std::size_t at = text.size() - 1;
  while (at > 0 && text.size() - at < 4 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) {
    --at;
  }
  return BeginsSeen(text[at]);
}

bool IsBlankCharacter(UChar32 c) {
  return c == 0x180e || c == 0x200b || c == 0x2060 || c == 0xfeff ||
         (c >= 0 && u_isUWhiteSpace(c) != 0);
}

}  // namespace

std::string_view TrimBlanks(std::string_view text) {
  if (text.empty() || (BeginsSeen(text.front()) && EndsSeen(text))) return text;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  std::int32_t begin = 0, end = static_cast<std::int32_t>(text.size());
  while (begin < end) {
    std::int32_t next = begin;
    UChar32 c = 0;
    U8_NEXT(bytes, next, end, c);
    if (!IsBlankCharacter(c)) break;
    begin = next;
  }
  while (end > begin) {
    std::int32_t before = end;
    UChar32 c = 0;
    U8_PREV(bytes, begin, before, c);
    if (!IsBlankCharacter(c)) break;
    end = before;
  }
  return text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

}  // namespace coffer::cli
