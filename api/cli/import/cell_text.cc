#include "api/cli/import/cell_text.h"

#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <cstdint>

#include "audit/text/plain_text.h"

namespace coffer::cli {
namespace {

template <class Each>
void ForEachCharacter(std::string_view text, const Each& each) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    if (!each(c)) return;
  }
}

void AppendCharacter(UChar32 c, std::string& out) {
  std::uint8_t bytes[U8_MAX_LENGTH];
  std::int32_t size = 0;
  UBool failed = false;
  U8_APPEND(bytes, size, U8_MAX_LENGTH, static_cast<std::uint32_t>(c), failed);
  if (!failed) out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

std::string_view ShapeOfCharacter(UChar32 c, std::string& one) {
  if (c < 0) return "?";
  if (u_isdigit(c) != 0) return "9";
  if (u_isupper(c) != 0) return "A";
  if (u_isalpha(c) != 0) return "a";
  if (c == '\n') return "\u23CE";
  if (c == '\r') return "";
  if (c >= 0x20 && c < 0x7f) return one = static_cast<char>(c);
  if (u_isUWhiteSpace(c) != 0) return " ";
  return "?";
}

}  // namespace

bool IsPrintableAscii(std::string_view text) {
  unsigned others = 0;
  for (const char c : text) others |= static_cast<unsigned char>(c - 0x20) > 0x5e ? 1U : 0U;
  return others == 0;
}

std::string ShapeOfCell(std::string_view cell) {
  static constexpr int kMost = 32;
  std::string shape, one;
  int count = 0;
  ForEachCharacter(cell, [&](UChar32 c) {
    if (++count > kMost) {
      shape += "...";
      return false;
    }
    shape += ShapeOfCharacter(c, one);
    return true;
  });
  return shape;
}

std::string PlainSigns(std::string_view text) {
  if (IsPrintableAscii(text)) return std::string(text);
  std::string plain;
  ForEachCharacter(text, [&](UChar32 c) {
    const std::int32_t type = u_charType(c);
    if (c < 0) {
      plain += '?';
    } else if (c >= 0xff01 && c <= 0xff5e) {
      plain += static_cast<char>(c - 0xff01 + 0x21);
    } else if (c == '\t' || c == '\n' || c == '\r') {
      plain += ' ';
    } else if (audit::IsUnseen(static_cast<char32_t>(c))) {
      return true;
    } else if (u_isUWhiteSpace(c) != 0) {
      plain += ' ';
    } else if (type == U_DASH_PUNCTUATION || c == 0x2212 || c == 0x2043) {
      plain += '-';
    } else if (u_charDigitValue(c) >= 0 && type == U_DECIMAL_DIGIT_NUMBER) {
      plain += static_cast<char>('0' + u_charDigitValue(c));
    } else {
      AppendCharacter(c, plain);
    }
    return true;
  });
  return plain;
}

std::string WithoutUnseen(std::string_view text) {
  if (IsPrintableAscii(text)) return std::string(text);
  std::string seen;
  ForEachCharacter(text, [&](UChar32 c) {
    if (c >= 0 && !audit::IsUnseen(static_cast<char32_t>(c))) AppendCharacter(c, seen);
    return true;
  });
  return seen;
}

bool IsScientific(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i > from;
  };
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  if (!digits()) return false;
  bool written_by_machine = false;
  if (i < text.size() && (text[i] == '.' || text[i] == ',')) {
    written_by_machine = true;
    ++i;
    if (!digits()) return false;
  }
  if (i >= text.size() || (text[i] != 'e' && text[i] != 'E')) return false;
  ++i;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) {
    written_by_machine = true;
    ++i;
  }
  // "7E12" is somebody's own number.
  return digits() && i == text.size() && written_by_machine;
}

bool EqualWithoutCase(std::string_view a, std::string_view b) {
  const auto unicode = [](std::string_view text) {
    return icu::UnicodeString::fromUTF8(
        icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  };
  return a == b || unicode(a).caseCompare(unicode(b), U_FOLD_CASE_DEFAULT) == 0;
}

}  // namespace coffer::cli
