#include "crypto/phone_number.h"

#include <phonenumbers/phonenumberutil.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

#include "crypto/internal/unicode.h"

namespace coffer::crypto {
namespace {

namespace phones = i18n::phonenumbers;
using Kind = PhoneFault::Kind;

constexpr std::size_t kMaxPhoneBytes = 1000;
constexpr std::size_t kMaxExtensionDigits = 10;
// From so many digits on, what stands behind a number is another one.
constexpr std::size_t kDigitsOfANumber = 5;
// Behind a slash: "030/123456" is one number, "5550120/21" are two.
constexpr std::size_t kDigitsBeforeTwo = 7, kDigitsOfAlternative = 3;

constexpr std::u32string_view kExtensionMarks[] = {
    U"ext", U"extn", U"extension",  U"x",  U"х",     U"int",  U"anexo", U"poste", U"durchwahl",
    U"dw",  U"доб",  U"добавочный", U"вн", U"внутр", U"分机", U"内线",  U"转"};

// A character of what was typed as it is read: digits are ASCII, blanks and dashes of one kind,
// letters in lower case; what is not seen is left out.
struct Unit {
  char32_t c;
  std::size_t character;  // from 1
  std::size_t byte, bytes;
};
using Units = std::vector<Unit>;

bool IsDigit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool IsSeparator(char32_t c) { return std::u32string_view(U" -.()/").contains(c); }
bool IsListMark(char32_t c) { return std::u32string_view(U",;|&\n").contains(c); }

// Digits that these turn round are read as another number.
bool TurnsRound(UChar32 c) { return c == 0x202B || c == 0x202E || c == 0x2067; }

bool IsPlainAscii(UChar32 c) { return c >= 0x20 && c < 0x7F; }

char32_t ReadAs(UChar32 c) {
  if (IsPlainAscii(c) && c != '[' && c != ']') {
    return static_cast<char32_t>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  if (const auto digit = u_charDigitValue(c);
      digit >= 0 && u_charType(c) == U_DECIMAL_DIGIT_NUMBER) {
    return U'0' + static_cast<char32_t>(digit);
  }
  if (c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x85) return U'\n';
  if (u_isUWhiteSpace(c)) return U' ';
  switch (c) {
    case 0xFF0B:
      return U'+';
    case 0xFF0E:
    case 0xB7:
    case 0x2022:
    case 0x2027:
    case 0x30FB:
      return U'.';
    case 0xFF08:
    case '[':
    case 0xFF3B:
      return U'(';
    case 0xFF09:
    case ']':
    case 0xFF3D:
      return U')';
    case 0xFF0F:
    case 0x2044:
    case 0x2215:
      return U'/';
    case 0xFF0C:
    case 0x3001:
      return U',';
    case 0xFF1B:
      return U';';
    case 0xFF03:
      return U'#';
    case 0xFF1A:
      return U':';
    case 0x2019:
    case 0xFF07:
    case 0x2018:
      return U'\'';
    case 0x30FC:
      return U'-';
    default:
      break;
  }
  if (u_hasBinaryProperty(c, UCHAR_DASH)) return U'-';
  return static_cast<char32_t>(u_tolower(c));
}

std::string Places(const Unit& first, const Unit& last) {
  std::string text = first.character == last.character ? "character " : "characters ";
  text += std::to_string(first.character);
  if (first.character != last.character) text += " to " + std::to_string(last.character);
  return text;
}

PhoneFault FaultAt(Kind kind, const Unit& first, const Unit& last, std::string message) {
  return {kind,
          first.character,
          last.character - first.character + 1,
          first.byte,
          last.byte + last.bytes - first.byte,
          std::move(message)};
}

std::expected<Units, PhoneFault> Read(std::string_view typed) {
  if (!internal::IsUtf8(typed)) {
    return std::unexpected(PhoneFault{.kind = Kind::kNotText, .message = "is not UTF-8"});
  }
  if (typed.size() > kMaxPhoneBytes) {
    return std::unexpected(
        PhoneFault{.kind = Kind::kTooLong, .message = "is too long for a telephone number"});
  }
  Units units;
  units.reserve(typed.size());
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(typed.data());
  std::size_t character = 0;
  for (std::size_t at = 0; at < typed.size();) {
    const std::size_t begin = at;
    UChar32 c = 0;
    U8_NEXT(bytes, at, typed.size(), c);
    const Unit unit{ReadAs(c), ++character, begin, at - begin};
    if (IsPlainAscii(c)) {
      units.push_back(unit);
      continue;
    }
    if (TurnsRound(c)) {
      return std::unexpected(FaultAt(Kind::kCharacter, unit, unit,
                                     internal::NameOfCharacter(c) + " at " + Places(unit, unit) +
                                         " would turn round what is read"));
    }
    if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
        u_charType(c) == U_FORMAT_CHAR) {
      continue;
    }
    units.push_back(unit);
  }
  return units;
}

bool IsBlankUnit(const Unit& unit) { return unit.c == U' ' || unit.c == U'\n'; }

void Trim(Units& units) {
  while (!units.empty() && IsBlankUnit(units.back())) units.pop_back();
  units.erase(units.begin(), std::ranges::find_if_not(units, IsBlankUnit));
}

void TakePrefix(Units& units, std::u32string_view prefix) {
  if (units.size() < prefix.size() ||
      !std::equal(prefix.begin(), prefix.end(), units.begin(),
                  [](char32_t c, const Unit& unit) { return unit.c == c; })) {
    return;
  }
  units.erase(units.begin(), units.begin() + static_cast<std::ptrdiff_t>(prefix.size()));
  Trim(units);
}

// "7.49556E+10", also with a comma, and with the Cyrillic letter.
std::optional<PhoneFault> Scientific(const Units& units) {
  std::size_t i = 0;
  const auto at = [&](std::u32string_view any) {
    return i < units.size() && any.contains(units[i].c);
  };
  const auto digits = [&] {
    const std::size_t before = i;
    while (i < units.size() && IsDigit(units[i].c)) ++i;
    return i > before;
  };
  if (at(U"+-")) ++i;
  if (!digits()) return std::nullopt;
  if (at(U".,")) {
    ++i;
    (void)digits();
  }
  const std::size_t mark = i;
  if (!at(U"eе")) return std::nullopt;
  ++i;
  if (at(U"+-")) ++i;
  if (!digits() || i != units.size()) return std::nullopt;
  return FaultAt(Kind::kScientific, units[mark], units.back(),
                 "is written in scientific notation (" + Places(units[mark], units.back()) +
                     "): a spreadsheet made a number of it, and digits are lost; format the column "
                     "as text where it comes from");
}

// One point or comma, with ".0" or few digits behind it, as no number is grouped.
std::optional<PhoneFault> Decimal(const Units& units) {
  const auto is_point = [](const Unit& unit) { return unit.c == U'.' || unit.c == U','; };
  if (std::ranges::count_if(units, is_point) != 1) return std::nullopt;
  const auto point = std::ranges::find_if(units, is_point);
  const auto all_digits = [](auto begin, auto end) {
    return begin != end && std::all_of(begin, end, [](const Unit& u) { return IsDigit(u.c); });
  };
  if (!all_digits(point + 1, units.end())) return std::nullopt;
  const auto is_zero = [](const Unit& unit) { return unit.c == U'0'; };
  const auto whole = units.front().c == U'+' ? units.begin() + 1 : units.begin();
  const bool one_run = all_digits(whole, point) &&
                       (units.end() - point <= 3 || std::all_of(point + 1, units.end(), is_zero));
  const bool point_zero = units.end() - point == 2 && is_zero(units.back());
  if (!one_run && !point_zero) return std::nullopt;
  return FaultAt(Kind::kDecimal, *point, units.back(),
                 "has a decimal part at " + Places(*point, units.back()) +
                     ": a spreadsheet made a number of it; format the column as text where it "
                     "comes from");
}

struct NumberRead {
  std::string digits, extension;
  bool plus = false;
};

// Reads number and extension out of units. What is in the way is said of the first such place.
class PhoneReader : public NumberRead {
 public:
  explicit PhoneReader(const Units& units) : units_(units) {}

  std::optional<PhoneFault> Read() {
    while (i_ < units_.size()) {
      const Unit& unit = units_[i_];
      if (IsDigit(unit.c)) {
        if (SlashBegins()) return Second(i_);
        digits += static_cast<char>(unit.c);
        ++i_;
      } else if (unit.c == U'+') {
        if (plus || !digits.empty())
          return DigitsFrom(i_) >= kDigitsOfANumber ? Second(i_) : Stray();
        plus = true;
        ++i_;
      } else if (IsSeparator(unit.c)) {
        if (unit.c == U'/') slash_ = i_;
        ++i_;
      } else if (unit.c == U'~' && digits == "8") {
        ++i_;  // "8~10": after a tone
      } else if (IsExtensionMark()) {
        return Extension();
      } else if (IsListMark(unit.c)) {
        return AfterListMark();
      } else {
        return Stray();
      }
    }
    return std::nullopt;
  }

 private:
  static bool IsLetter(char32_t c) { return u_isalpha(static_cast<UChar32>(c)) != 0; }

  std::size_t WordEnd(std::size_t from) const {
    while (from < units_.size() && IsLetter(units_[from].c)) ++from;
    return from;
  }
  std::size_t DigitsFrom(std::size_t from) const {
    return static_cast<std::size_t>(
        std::count_if(units_.begin() + static_cast<std::ptrdiff_t>(from), units_.end(),
                      [](const Unit& unit) { return IsDigit(unit.c); }));
  }
  // "5550120/21": few digits and nothing else behind a slash.
  bool SlashBegins() const {
    if (!slash_ || digits.size() < kDigitsBeforeTwo) return false;
    for (std::size_t i = *slash_ + 1; i < i_; ++i) {
      if (IsDigit(units_[i].c)) return false;
    }
    return DigitsFrom(i_) <= kDigitsOfAlternative || DigitsFrom(i_) >= kDigitsBeforeTwo;
  }

  PhoneFault Second(std::size_t from) const {
    while (from + 1 < units_.size() && !IsDigit(units_[from].c) && units_[from].c != U'+') ++from;
    return FaultAt(
        Kind::kSecondNumber, units_[from], units_.back(),
        "has a second number, from character " + std::to_string(units_[from].character) + " on");
  }
  PhoneFault Stray() const {
    const Unit& unit = units_[i_];
    if (IsLetter(unit.c)) {
      const Unit& last = units_[WordEnd(i_) - 1];
      return FaultAt(Kind::kWord, unit, last,
                     "letters at " + Places(unit, last) + " are no part of a telephone number");
    }
    return FaultAt(Kind::kCharacter, unit, unit,
                   internal::NameOfCharacter(static_cast<std::int32_t>(unit.c)) + " at " +
                       Places(unit, unit) + " is no part of a telephone number");
  }
  PhoneFault AfterListMark() const {
    return DigitsFrom(i_) >= kDigitsOfANumber ? Second(i_) : Stray();
  }

  // Sets where its digits may begin. A comma may stand before its mark: "..., ext. 5".
  bool IsExtensionMark() {
    if (digits.empty()) return false;
    const char32_t c = units_[i_].c;
    std::size_t word = i_;
    if (c == U';') ++word;
    if (c == U',') {
      do ++word;
      while (word < units_.size() && IsBlankUnit(units_[word]));
    }
    std::size_t end = WordEnd(word);
    if (c == U';') {
      if (Word(word, end) != U"ext") return false;
    } else if (word < units_.size() && units_[word].c == U'#') {
      end = word + 1;
    } else if (std::ranges::find(kExtensionMarks, Word(word, end)) == std::end(kExtensionMarks)) {
      return false;
    }
    while (end < units_.size() && std::u32string_view(U" .:=").contains(units_[end].c)) ++end;
    extension_ = end;
    return true;
  }
  std::u32string Word(std::size_t from, std::size_t end) const {
    std::u32string word;
    for (; from < end; ++from) word += units_[from].c;
    return word;
  }
  std::optional<PhoneFault> Extension() {
    const std::size_t mark = i_;
    for (i_ = extension_; i_ < units_.size() && IsDigit(units_[i_].c); ++i_) {
      extension += static_cast<char>(units_[i_].c);
    }
    if (extension.empty() || extension.size() > kMaxExtensionDigits) {
      const Unit& last = units_[std::max(i_, mark + 1) - 1];
      return FaultAt(Kind::kExtension, units_[mark], last,
                     "an extension has 1 to 10 digits: " + Places(units_[mark], last));
    }
    while (i_ < units_.size() && (IsBlankUnit(units_[i_]) || units_[i_].c == U')')) ++i_;
    if (i_ == units_.size()) return std::nullopt;
    return DigitsFrom(i_) >= kDigitsOfANumber && !IsLetter(units_[i_].c) ? Second(i_) : Stray();
  }

  const Units& units_;
  std::size_t i_ = 0, extension_ = 0;
  std::optional<std::size_t> slash_;
};

PhoneFault WholeFault(Kind kind, std::string message) {
  return {.kind = kind, .message = std::move(message)};
}

std::expected<NumberRead, PhoneFault> ReadNumber(std::string_view typed) {
  auto read = Read(typed);
  if (!read) return std::unexpected(std::move(read).error());
  Units& units = *read;
  Trim(units);
  TakePrefix(units, U"'");
  TakePrefix(units, U"tel:");
  if (units.empty()) return std::unexpected(WholeFault(Kind::kNoDigits, "has no digits"));
  if (auto fault = Scientific(units)) return std::unexpected(*std::move(fault));
  if (auto fault = Decimal(units)) return std::unexpected(*std::move(fault));
  PhoneReader reader(units);
  if (auto fault = reader.Read()) return std::unexpected(*std::move(fault));
  if (reader.digits.empty()) {
    return std::unexpected(WholeFault(Kind::kNoDigits, "has no digits"));
  }
  return std::move(static_cast<NumberRead&>(reader));
}

std::optional<PhoneFault> CountFault(const phones::PhoneNumber& number) {
  using phones::PhoneNumberUtil;
  const auto* const rules = PhoneNumberUtil::GetInstance();
  const std::string there = " for the country code " + std::to_string(number.country_code());
  switch (rules->IsPossibleNumberWithReason(number)) {
    case PhoneNumberUtil::IS_POSSIBLE:
      return std::nullopt;
    case PhoneNumberUtil::TOO_LONG:
      return WholeFault(Kind::kTooLong, "has too many digits" + there);
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
    case PhoneNumberUtil::TOO_SHORT:
      return WholeFault(Kind::kTooShort, "has too few digits" + there);
    case PhoneNumberUtil::INVALID_COUNTRY_CODE:
      return WholeFault(Kind::kUnknownCountry, "has a country code that no country has");
    case PhoneNumberUtil::INVALID_LENGTH:
      return WholeFault(Kind::kImpossible, "has a count of digits that no number has" + there);
  }
  return WholeFault(Kind::kImpossible, "is not a telephone number");
}

// Country codes of which nothing is taken off but this digit in front. What begins otherwise is
// E.164 as it stands, and is told ten times as fast.
struct TrunkDigit {
  std::string_view country;
  char digit;
};
constexpr TrunkDigit kTrunkDigits[] = {
    {"7", '8'}, {"1", '1'}, {"44", '0'}, {"49", '0'}, {"33", '0'}};

bool StandsAsItIs(std::string_view digits) {
  for (const auto& [country, digit] : kTrunkDigits) {
    if (!digits.starts_with(country)) continue;
    const std::string_view national = digits.substr(country.size());
    if (national.size() < 4 || national.size() > 15 || national[0] == digit || national[0] == '0') {
      return false;
    }
    phones::PhoneNumber number;
    number.set_country_code(std::stoi(std::string(country)));
    number.set_national_number(std::stoull(std::string(national)));
    using phones::PhoneNumberUtil;
    return PhoneNumberUtil::GetInstance()->IsPossibleNumberWithReason(number) ==
           PhoneNumberUtil::IS_POSSIBLE;
  }
  return false;
}

enum class Counts : std::uint8_t { kPossible, kAssigned };

std::expected<std::string, PhoneFault> Dial(const std::string& digits, const std::string& region,
                                            Counts counts = Counts::kPossible) {
  using phones::PhoneNumberUtil;
  const auto* const rules = PhoneNumberUtil::GetInstance();
  phones::PhoneNumber number;
  switch (rules->Parse(digits, region, &number)) {
    case PhoneNumberUtil::NO_PARSING_ERROR:
      break;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
      return std::unexpected(
          WholeFault(Kind::kUnknownCountry, "has a country code that no country has"));
    case PhoneNumberUtil::TOO_LONG_NSN:
      return std::unexpected(WholeFault(Kind::kTooLong, "has too many digits"));
    case PhoneNumberUtil::NOT_A_NUMBER:
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
    case PhoneNumberUtil::TOO_SHORT_NSN:
      return std::unexpected(WholeFault(Kind::kTooShort, "has too few digits"));
  }
  if (auto fault = CountFault(number)) return std::unexpected(*std::move(fault));
  if (counts == Counts::kAssigned && !rules->IsValidNumber(number)) {
    return std::unexpected(WholeFault(Kind::kImpossible, "is a number that nobody has"));
  }
  std::string e164;
  rules->Format(number, PhoneNumberUtil::E164, &e164);
  return e164;
}

// Regions whose numbers have ten digits, and of which these first ones leave nothing to be looked
// up: how most of them are typed is told twenty times as fast.
struct TenDigits {
  std::string_view region;
  char country, trunk;
  std::string_view first;
};
constexpr TenDigits kTenDigits[] = {
    {"RU", '7', '8', "349"}, {"US", '1', '1', "23456789"}, {"CA", '1', '1', "23456789"}};

std::optional<std::string> AsTenDigits(std::string_view digits, std::string_view region) {
  constexpr std::size_t kTen = 10;
  for (const TenDigits& ten : kTenDigits) {
    if (ten.region != region) continue;
    const bool led =
        digits.size() == kTen + 1 && (digits[0] == ten.country || digits[0] == ten.trunk);
    if (led) digits.remove_prefix(1);
    if (digits.size() != kTen || !ten.first.contains(digits[0])) return std::nullopt;
    return std::string{'+', ten.country}.append(digits);
  }
  return std::nullopt;
}

// "00" is how most countries dial abroad, and how hardly any country's own number begins.
std::expected<std::string, PhoneFault> DialFrom(const std::string& digits,
                                                const std::string& region) {
  const bool abroad = digits.starts_with("00");
  if (region.empty() && abroad) return Dial('+' + digits.substr(2), "ZZ");
  if (region.empty()) {
    return std::unexpected(WholeFault(
        Kind::kNational,
        "has no country code, and no region is given to read it by: write it with + and the "
        "country code, or name the region"));
  }
  if (!abroad) return Dial(digits, region);
  if (auto own = Dial(digits, region, Counts::kAssigned)) return own;
  if (auto other = Dial('+' + digits.substr(2), "ZZ", Counts::kAssigned)) return other;
  return Dial(digits, region);
}

}  // namespace

std::string PhoneNumber::Text() const {
  return extension.empty() ? e164 : e164 + ";ext=" + extension;
}

std::expected<PhoneNumber, PhoneFault> ToE164(std::string_view typed, std::string_view region) {
  auto read = ReadNumber(typed);
  if (!read) return std::unexpected(std::move(read).error());
  NumberRead& reader = *read;

  const bool has_region = IsPhoneRegion(region);
  std::expected<std::string, PhoneFault> e164;
  if (reader.plus && StandsAsItIs(reader.digits)) {
    e164 = '+' + reader.digits;
  } else if (reader.plus) {
    e164 = Dial('+' + reader.digits, "ZZ");
  } else if (auto ten = AsTenDigits(reader.digits, region)) {
    e164 = *std::move(ten);
  } else {
    e164 = DialFrom(reader.digits, has_region ? std::string(region) : std::string());
  }
  if (!e164) return std::unexpected(std::move(e164).error());
  return PhoneNumber{*std::move(e164), std::move(reader.extension)};
}

std::expected<std::string, PhoneFault> PhoneDigits(std::string_view typed, std::size_t least,
                                                   std::size_t most) {
  auto read = ReadNumber(typed);
  if (!read) return std::unexpected(std::move(read).error());
  if (read->digits.size() < least || read->digits.size() > most) {
    return std::unexpected(
        WholeFault(read->digits.size() < least ? Kind::kTooShort : Kind::kTooLong,
                   "a telephone number has " + std::to_string(least) + " to " +
                       std::to_string(most) + " digits"));
  }
  return PhoneNumber{(read->plus ? "+" : "") + std::move(read->digits), std::move(read->extension)}
      .Text();
}

bool IsPhoneRegion(std::string_view region) {
  static const std::set<std::string, std::less<>> regions = [] {
    std::set<std::string> supported;
    phones::PhoneNumberUtil::GetInstance()->GetSupportedRegions(&supported);
    return std::set<std::string, std::less<>>(supported.begin(), supported.end());
  }();
  return region.size() == 2 && regions.contains(region);
}

}  // namespace coffer::crypto
