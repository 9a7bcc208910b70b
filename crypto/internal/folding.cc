#include "crypto/internal/folding.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <optional>

#include "crypto/internal/invariant.h"

namespace coffer::crypto::internal {
namespace {

using Instance = const icu::Normalizer2* (*)(UErrorCode&);

icu::UnicodeString Normalised(Instance instance, const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* const normalizer = instance(status);
  Require(U_SUCCESS(status), "ICU's normalisation data");
  icu::UnicodeString normalised = normalizer->normalize(text, status);
  Require(U_SUCCESS(status) && !normalised.isBogus(), "Unicode normalisation");
  return normalised;
}

const icu::Normalizer2* Casefold(UErrorCode& status) {
  return icu::Normalizer2::getNFKCCasefoldInstance(status);
}
const icu::Normalizer2* Nfd(UErrorCode& status) { return icu::Normalizer2::getNFDInstance(status); }
const icu::Normalizer2* Nfc(UErrorCode& status) { return icu::Normalizer2::getNFCInstance(status); }

icu::UnicodeString FromUtf8(std::string_view text) {
  return icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

std::string JoinedWords(const icu::UnicodeString& text) {
  const std::u16string joined =
      JoinWords({text.getBuffer(), static_cast<std::size_t>(text.length())}, u" ");
  std::string utf8;
  icu::UnicodeString(false, joined.data(), static_cast<std::int32_t>(joined.size()))
      .toUTF8String(utf8);
  return utf8;
}

bool IsAsciiSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The small letter of a Russian one; ё is е in names. 0: another character.
unsigned SmallRussian(unsigned c, bool loose) {
  if (c == 0x401 || c == 0x451) return loose ? 0x435 : 0x451;
  if (c >= 0x410 && c <= 0x42F) return c + 0x20;
  return c >= 0x430 && c <= 0x44F ? c : 0;
}

// The form of what is ASCII and Russian letters, which most is: nothing in it is composed of
// others. nullopt: it has others.
std::optional<std::string> PlainForm(std::string_view text, bool loose) {
  std::string form;
  form.reserve(text.size());
  bool gap = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (loose && (c == '\'' || c == '`')) continue;
    if (IsAsciiSpace(c) || (loose && c == '-')) {
      gap = true;
      continue;
    }
    if (gap && !form.empty()) form += ' ';
    gap = false;
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      form += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      continue;
    }
    if ((byte != 0xD0 && byte != 0xD1) || ++i == text.size()) return std::nullopt;
    const unsigned small =
        SmallRussian((byte & 0x1FU) << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU), loose);
    if (small == 0) return std::nullopt;
    form += static_cast<char>(0xC0U | small >> 6U);
    form += static_cast<char>(0x80U | (small & 0x3FU));
  }
  return form;
}

bool IsApostrophe(UChar32 c) {
  switch (c) {
    case '\'':
    case '`':
    case 0xB4:
    case 0x2BB:
    case 0x2BC:
    case 0x2BD:
    case 0x2B9:
    case 0x2BE:
    case 0x2BF:
    case 0x5F3:
    case 0x2018:
    case 0x2019:
    case 0x201B:
    case 0x2032:
    case 0xFF07:
    case 0xA78C:
      return true;
    default:
      return false;
  }
}

// Letters that Unicode does not take for one with a mark, and keyboards without them write so.
std::u16string_view PlainLetter(UChar32 c) {
  switch (c) {
    case 0xF8:
      return u"o";
    case 0xE6:
      return u"ae";
    case 0x153:
      return u"oe";
    case 0x142:
      return u"l";
    case 0x111:
      return u"d";
    case 0x127:
      return u"h";
    case 0x167:
      return u"t";
    case 0x131:
      return u"i";
    default:
      return {};
  }
}

bool IsArabicVowel(UChar32 mark) { return (mark >= 0x64B && mark <= 0x652) || mark == 0x670; }
bool IsHebrewPoint(UChar32 mark) { return mark >= 0x591 && mark <= 0x5C7; }

// Whether the mark is left out by who types a name in a hurry. A mark that makes another letter is
// not: in most scripts all do; in the Cyrillic one all but those of stress, and the dots of ё.
bool IsAccent(UChar32 letter, UChar32 mark) {
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(letter, &status)) {
    case USCRIPT_LATIN:
    case USCRIPT_GREEK:
      return true;
    case USCRIPT_CYRILLIC:
      if (mark == 0x308) return letter == 0x435;
      return mark == 0x300 || (mark == 0x301 && letter != 0x433 && letter != 0x43A);
    case USCRIPT_ARABIC:
      return IsArabicVowel(mark);
    case USCRIPT_HEBREW:
      return IsHebrewPoint(mark);
    default:
      return false;
  }
}

}  // namespace

std::u16string JoinWords(std::u16string_view text, std::u16string_view between) {
  std::u16string joined;
  bool gap = false;
  for (const char16_t unit : text) {  // no white space takes two
    if (u_isUWhiteSpace(unit)) {
      gap = true;
      continue;
    }
    if (gap && !joined.empty()) joined += between;
    gap = false;
    joined += unit;
  }
  return joined;
}

// NFC first: casefolding makes a letter of the Greek iota below, which then is no mark any more
// that others could be put in order with.
std::string FoldedText(std::string_view text) {
  if (auto plain = PlainForm(text, false)) return *std::move(plain);
  return JoinedWords(Normalised(Casefold, Normalised(Nfc, FromUtf8(text))));
}

std::string LooseText(std::string_view text) {
  if (auto plain = PlainForm(text, true); plain && !plain->empty()) return *std::move(plain);
  // NFC first also for signs that are an apostrophe of another block.
  const icu::UnicodeString typed = Normalised(Nfc, FromUtf8(text));
  icu::UnicodeString spaced;
  for (std::int32_t i = 0; i < typed.length(); i = typed.moveIndex32(i, 1)) {
    const UChar32 c = typed.char32At(i);
    if (IsApostrophe(c)) continue;
    spaced.append(u_hasBinaryProperty(c, UCHAR_DASH) ? static_cast<UChar32>(u' ') : c);
  }
  const icu::UnicodeString marked = Normalised(Nfd, Normalised(Casefold, spaced));
  icu::UnicodeString plain;
  UChar32 letter = 0;
  for (std::int32_t i = 0; i < marked.length(); i = marked.moveIndex32(i, 1)) {
    const UChar32 c = marked.char32At(i);
    if (u_charType(c) == U_NON_SPACING_MARK) {
      if (!IsAccent(letter, c)) plain.append(c);
      continue;
    }
    // An apostrophe that was part of a ligature; the Arabic tatweel, which only stretches. The
    // marks behind are of the letter before.
    if (IsApostrophe(c) || c == 0x640) continue;
    letter = c;
    const std::u16string_view spelt = PlainLetter(c);
    if (spelt.empty()) {
      plain.append(c);
    } else {
      plain.append(spelt.data(), static_cast<std::int32_t>(spelt.size()));
    }
  }
  std::string loose = JoinedWords(Normalised(Nfc, plain));
  return loose.empty() ? FoldedText(text) : loose;
}

}  // namespace coffer::crypto::internal
