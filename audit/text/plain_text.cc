#include "audit/text/plain_text.h"

#include <algorithm>
#include <iterator>

#include "audit/text/utf8.h"

namespace coffer::audit {
namespace {

struct CharacterRange {
  char32_t first;
  char32_t last;
};

constexpr CharacterRange kUnseen[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x061C, 0x061C},
    {0x115F, 0x1160}, {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F}, {0x3164, 0x3164},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

// White_Space that is not among the unseen, and the Braille pattern without a dot.
constexpr CharacterRange kWhiteSpace[] = {
    {0x0020, 0x0020}, {0x00A0, 0x00A0}, {0x1680, 0x1680}, {0x2000, 0x200A},
    {0x202F, 0x202F}, {0x205F, 0x205F}, {0x2800, 0x2800}, {0x3000, 0x3000},
};

// Line and paragraph separators, embeddings and overrides, isolates, deprecated formats,
// annotations.
constexpr CharacterRange kDisturbing[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F}, {0x2028, 0x202E}, {0x2066, 0x206F}, {0xFFF9, 0xFFFB}};

template <std::size_t N>
bool IsIn(const CharacterRange (&ranges)[N], char32_t c) {
  const auto* const range = std::ranges::lower_bound(ranges, c, {}, &CharacterRange::last);
  return range != std::end(ranges) && c >= range->first;
}

template <class Each>
bool AllOf(std::string_view text, const Each& each) {
  while (!text.empty()) {
    const Utf8Sequence next = NextUtf8(text);
    if (!next.valid || !each(next.code_point)) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

}  // namespace

bool IsUnseen(char32_t c) { return IsIn(kUnseen, c); }

bool IsBlank(std::string_view text) {
  return AllOf(text, [](char32_t c) { return IsIn(kWhiteSpace, c) || IsIn(kUnseen, c); });
}

bool IsPlainText(std::string_view text, TextForm form) {
  while (!text.empty()) {
    const char first = text.front();
    std::size_t length = 1;
    if (first < 0x20 || first > 0x7e) {
      const bool breaks = first == '\n' || first == '\t' || text.starts_with("\r\n");
      const Utf8Sequence next = NextUtf8(text);
      if (!next.valid) return false;
      if (IsIn(kDisturbing, next.code_point) && !(form == TextForm::kLines && breaks)) return false;
      length = next.length;
    }
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace coffer::audit
