#include "audit/internal/visible_text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "audit/internal/utf8.h"

namespace coffer::audit {
namespace {

struct UnseenRange {
  char32_t first;
  char32_t last;
};
constexpr UnseenRange kUnseen[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x061C, 0x061C},
    {0x115F, 0x1160}, {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F}, {0x3164, 0x3164},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

std::string_view HtmlEscape(char32_t c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

// Calls `each(sequence, bytes)` for every character.
template <class Each>
void ForEachCharacter(std::string_view text, const Each& each) {
  while (!text.empty()) {
    const Utf8Sequence sequence = NextUtf8(text);
    each(sequence, text.substr(0, sequence.length));
    text.remove_prefix(sequence.length);
  }
}

}  // namespace

bool IsUnseen(char32_t c) {
  const auto* const range = std::ranges::lower_bound(kUnseen, c, {}, &UnseenRange::last);
  return range != std::end(kUnseen) && c >= range->first;
}

std::string CodePointName(char32_t c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string digits;
  for (auto rest = static_cast<std::uint32_t>(c); rest != 0 || digits.size() < 4; rest >>= 4) {
    digits.insert(digits.begin(), kDigits[rest & 0x0F]);
  }
  return "U+" + digits;
}

bool IsUtf8(std::string_view text) {
  bool valid = true;
  ForEachCharacter(text, [&](const Utf8Sequence& next, std::string_view) { valid &= next.valid; });
  return valid;
}

void AppendHtml(std::string_view text, std::string& out) {
  ForEachCharacter(text, [&](const Utf8Sequence& next, std::string_view bytes) {
    if (!next.valid) {
      out.append("\uFFFD");
    } else if (const auto escape = HtmlEscape(next.code_point); !escape.empty()) {
      out.append(escape);
    } else if (IsUnseen(next.code_point)) {
      out.append("<span class=\"u\">").append(CodePointName(next.code_point)).append("</span>");
    } else {
      out.append(bytes);
    }
  });
}

std::string Html(std::string_view text) {
  std::string out;
  AppendHtml(text, out);
  return out;
}

std::string VisibleText(std::string_view text) {
  std::string out;
  ForEachCharacter(text, [&](const Utf8Sequence& next, std::string_view bytes) {
    if (!next.valid) {
      out.append("\uFFFD");
    } else if (IsUnseen(next.code_point)) {
      out.append("<").append(CodePointName(next.code_point)).append(">");
    } else {
      out.append(bytes);
    }
  });
  return out;
}

}  // namespace coffer::audit
