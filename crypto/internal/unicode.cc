#include "crypto/internal/unicode.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>

namespace coffer::crypto::internal {
namespace {

std::atomic<std::uint64_t> normalised_bytes{0};

// Whether `holds` is true of every code point; ill-formed sequences are given to it as negative.
template <class Predicate>
bool AllOf(std::string_view text, Predicate holds) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t i = 0; i < text.size();) {
    UChar32 c = 0;
    U8_NEXT(bytes, i, text.size(), c);
    if (!holds(c)) return false;
  }
  return true;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  return AllOf(text, [](UChar32 c) { return c >= 0; });
}

bool HasSpaceOrControl(std::string_view text) {
  return !AllOf(text, [](UChar32 c) { return !u_isUWhiteSpace(c) && !u_iscntrl(c); });
}

std::string NameOfCharacter(std::int32_t code_point) {
  if (code_point > 0x20 && code_point < 0x7f) {
    return std::string("'") + static_cast<char>(code_point) + "'";
  }
  std::array<char, 16> number{};
  (void)std::snprintf(number.data(), number.size(), "U+%04X", static_cast<unsigned>(code_point));
  std::array<char, 128> name{};
  UErrorCode status = U_ZERO_ERROR;
  const auto length = u_charName(code_point, U_EXTENDED_CHAR_NAME, name.data(),
                                 static_cast<std::int32_t>(name.size()), &status);
  if (U_FAILURE(status) || length <= 0) return number.data();
  return std::string(number.data()) + " (" + name.data() + ")";
}

void CountNormalised(std::size_t bytes) {
  normalised_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

std::uint64_t NormalisedBytes() { return normalised_bytes.load(std::memory_order_relaxed); }

}  // namespace coffer::crypto::internal
