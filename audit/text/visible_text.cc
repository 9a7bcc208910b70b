#include "audit/text/visible_text.h"

#include <cstdint>

#include "audit/text/utf8.h"

namespace coffer::audit {
namespace {

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
