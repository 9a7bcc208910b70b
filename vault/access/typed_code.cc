#include "vault/access/typed_code.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace coffer::vault {
namespace {

constexpr std::string_view kEnrolmentPrefix = "cfe";
constexpr std::size_t kEnrolmentCharacters = 26, kRecoveryCharacters = 16, kRecoveryGroup = 4;

// Blanks, dashes, and what text takes along unseen when it is copied.
constexpr std::array<std::string_view, 26> kBetween = {" ",
                                                       "\t",
                                                       "\r",
                                                       "\n",
                                                       "-",
                                                       "_",
                                                       "\xc2\xa0",
                                                       "\xc2\xad",
                                                       "\xe2\x80\x82",
                                                       "\xe2\x80\x83",
                                                       "\xe2\x80\x87",
                                                       "\xe2\x80\x89",
                                                       "\xe2\x80\x8b",
                                                       "\xe2\x80\x8e",
                                                       "\xe2\x80\x8f",
                                                       "\xe2\x80\x90",
                                                       "\xe2\x80\x91",
                                                       "\xe2\x80\x92",
                                                       "\xe2\x80\x93",
                                                       "\xe2\x80\x94",
                                                       "\xe2\x80\x95",
                                                       "\xe2\x80\xaf",
                                                       "\xe2\x88\x92",
                                                       "\xe3\x80\x80",
                                                       "\xef\xbc\x8d",
                                                       "\xef\xbb\xbf"};

// A full-width digit or letter (U+FF10 to U+FF5A) as the one of ASCII; 0: none.
char NarrowOf(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xef') return 0;
  const auto second = static_cast<std::uint8_t>(text[1]),
             third = static_cast<std::uint8_t>(text[2]);
  if (second == 0xbc && third >= 0x90 && third <= 0xba) return static_cast<char>(third - 0x60);
  if (second == 0xbd && third >= 0x81 && third <= 0x9a) return static_cast<char>(third - 0x20);
  return 0;
}

// Crockford's reading: the alphabet of codes has neither of these letters.
char AsDigit(char c) { return c == 'o' ? '0' : c == 'i' || c == 'l' ? '1' : c; }

std::string LettersOf(std::string_view typed) {
  std::string letters;
  while (!typed.empty()) {
    const auto between = std::ranges::find_if(
        kBetween, [&](std::string_view one) { return typed.starts_with(one); });
    if (between != kBetween.end()) {
      typed.remove_prefix(between->size());
      continue;
    }
    const char narrow = NarrowOf(typed);
    char c = narrow != 0 ? narrow : typed.front();
    typed.remove_prefix(narrow != 0 ? 3 : 1);
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    letters += AsDigit(c);
  }
  return letters;
}

}  // namespace

std::string EnrolmentCodeOf(std::string_view typed) {
  std::string letters = LettersOf(typed);
  if (letters.size() == kEnrolmentPrefix.size() + kEnrolmentCharacters &&
      letters.starts_with(kEnrolmentPrefix)) {
    letters.erase(0, kEnrolmentPrefix.size());
  }
  if (letters.size() != kEnrolmentCharacters) return letters;
  return std::string(kEnrolmentPrefix) + "_" + letters;
}

std::string SecondFactorCodeOf(std::string_view typed) {
  std::string letters = LettersOf(typed);
  if (letters.size() != kRecoveryCharacters) return letters;
  for (std::size_t at = kRecoveryCharacters - kRecoveryGroup; at > 0; at -= kRecoveryGroup) {
    letters.insert(at, 1, '-');
  }
  return letters;
}

}  // namespace coffer::vault
