#include "crypto/phone_number.h"

#include <phonenumbers/phonenumberutil.h>

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::crypto {
namespace {

using Kind = PhoneFault::Kind;

std::string NumberOf(std::string_view typed, std::string_view region) {
  const auto number = ToE164(typed, region);
  return number ? number->Text() : "fault: " + number.error().message;
}

// The part of the text that is in the way.
std::string InTheWay(std::string_view typed, std::string_view region, Kind kind) {
  const auto number = ToE164(typed, region);
  if (number) return "none: " + number->Text();
  INFO(typed << ": " << number.error().message);
  CHECK(static_cast<int>(number.error().kind) == static_cast<int>(kind));
  return std::string(typed.substr(number.error().byte, number.error().bytes));
}

TEST_CASE("each way to write a telephone number gives the one form of it") {
  struct Row {
    std::string_view region;
    std::string_view form;
    std::vector<std::string_view> spellings;
  };
  const Row rows[] = {
      {"RU",
       "+74955550120",
       {"+7 (495) 555-01-20",
        "8 (495) 555-01-20",
        "84955550120",
        "74955550120",
        "4955550120",
        "(495)5550120",
        "tel:+74955550120",
        "TEL: +7 495 555 01 20",
        "'+74955550120",
        "\u202a+74955550120\u202c",
        "+7 495 55 50 120\u200b",
        "+7 495 555\u201101\u201120",
        "+7\u00a0495\u00a0555\u00a001\u00a020",
        "+7 495 555\u201201\u201220",
        "\uff0b\uff17\uff14\uff19\uff15\uff15\uff15\uff15\uff10\uff11\uff12\uff10",
        "+7\u00b7495\u00b7555\u00b701\u00b720",
        "+7.495.555.01.20",
        "007 495 555 01 20",
        "810 7 495 555 01 20",
        "8~10 7 495 555-01-20",
        "+7495/5550120",
        "  +7 495 5550120\t",
        "\u2066+7\u2069 4955550120",
        "+7 495 555\u00ad01\u00ad20",
        "\ufeff+74955550120",
        "+7\u202f495\u2009555\u300001 20"}},
      {"RU",
       "+74955550120;ext=12",
       {"8-495-555-01-20 доб. 12", "+74955550120;ext=12", "+7 495 555 01 20 (доб. 12)",
        "+7 495 5550120 ext 12", "+7 495 5550120x12", "+7 495 5550120 #12",
        "+7 495 5550120 Ext: 12", "8 (495) 555-01-20, доб. 12", "+7 495 5550120 вн.12",
        "84955550120 ДОБ 12"}},
      {"", "+12025550120;ext=5", {"+1 202 555 0120 x5", "+1.202.555.0120 ext. 5"}},
      {"", "+12025550120", {"+1.202.555.0120", "001 202 555 0120", "+1 (202) 555-0120"}},
      {"", "+442079460120", {"+44 (0)20 7946 0120", "+44 20 7946 0120", "+4402079460120"}},
      {"US", "+12025550120", {"(202) 555-0120", "1-202-555-0120", "+1 202 555 0120"}},
      {"DE", "+4930123456", {"030/123456", "030 123456", "0049 30 123456", "+49 (0) 30 123456"}},
      {"IT", "+39021234567", {"02 1234567", "+39 02 1234567"}},
      {"CN",
       "+8613800138000",
       {"138 0013 8000", "\u0661\u0663\u0668\u0660\u0660\u0661\u0663\u0668\u0660\u0660\u0660"}},
  };
  for (const Row& row : rows) {
    for (const auto spelling : row.spellings) {
      INFO(row.region << " " << spelling);
      CHECK(NumberOf(spelling, row.region) == row.form);
      CHECK(NumberOf(row.form, "") == row.form);
      // What has a country code says the same wherever it is read.
      if (spelling.starts_with('+')) CHECK(NumberOf(spelling, "FR") == row.form);
    }
  }
}

TEST_CASE("what is in the way of a telephone number is said by its place") {
  struct Row {
    std::string_view typed;
    Kind kind;
    std::string_view in_the_way;
  };
  const Row rows[] = {
      {"74955550120.0", Kind::kDecimal, ".0"},
      {"+74955550120.0", Kind::kDecimal, ".0"},
      {"8 495 555-01-20.0", Kind::kDecimal, ".0"},
      {"74955550163,00", Kind::kDecimal, ",00"},
      {"7.49556E+10", Kind::kScientific, "E+10"},
      {"7,49556e10", Kind::kScientific, "e10"},
      {"+74955550120, +74955550121", Kind::kSecondNumber, "+74955550121"},
      {"+74955550120 +74955550121", Kind::kSecondNumber, "+74955550121"},
      {"84955550120; 84955550121", Kind::kSecondNumber, "84955550121"},
      {"84955550120/84955550121", Kind::kSecondNumber, "84955550121"},
      {"84955550120\n84955550121", Kind::kSecondNumber, "84955550121"},
      {"84955550120/21", Kind::kSecondNumber, "21"},
      {"8 800 555 01 20 (бесплатно)", Kind::kWord, "бесплатно"},
      {"Anna +74955550120", Kind::kWord, "Anna"},
      {"+7 495 5550120;", Kind::kCharacter, ";"},
      {"+7_495_555_01_20", Kind::kCharacter, "_"},
      {"+7 495 555*01*20", Kind::kCharacter, "*"},
      {"+7 495 555 01 20 доб.", Kind::kExtension, "доб."},
      {"+7 495 555 01 20 доб. 12 Анна", Kind::kWord, "Анна"},
      {"\u202e02105555947+", Kind::kCharacter, "\u202e"},
      {"n/a", Kind::kWord, "n"},
      {"002", Kind::kTooShort, ""},
      {"+7 495 555", Kind::kTooShort, ""},
      {"+7 495 555 01 20 1", Kind::kImpossible, ""},
      {"+7 495 555 01 20 12345", Kind::kTooLong, ""},
      {"-", Kind::kNoDigits, ""},
      {"", Kind::kNoDigits, ""},
      {"+999 123 4567", Kind::kUnknownCountry, ""},
  };
  for (const Row& row : rows) {
    INFO(row.typed);
    CHECK(InTheWay(row.typed, "RU", row.kind) == row.in_the_way);
  }
  CHECK(InTheWay("8 (495) 555-01-20", "", Kind::kNational).empty());
  CHECK(InTheWay("8 (495) 555-01-20", "XX", Kind::kNational).empty());
  CHECK_FALSE(ToE164("\xff", "RU"));
  CHECK_FALSE(ToE164(std::string(4000, '1'), "RU"));
  const auto word = ToE164("8 800 555 01 20 (бесплатно)", "RU");
  REQUIRE_FALSE(word);
  CHECK(word.error().message == "letters at characters 18 to 26 are no part of a telephone number");
  CHECK(ToE164("+7_495", "RU").error().message ==
        "'_' at character 3 is no part of a telephone number");
}

TEST_CASE("what is told without the library is what the library tells") {
  std::mt19937 random{Catch::getSeed()};
  const auto digit = [&] { return static_cast<char>('0' + random() % 10); };
  for (const std::string country : {"7", "1", "44", "49", "33", "39", "86"}) {
    for (int i = 0; i < 300; ++i) {
      std::string digits = country;
      // Lengths that numbers have, and others; each first digit.
      for (std::size_t length = 7 + random() % 6; length > 0; --length) digits += digit();
      INFO(digits);
      CHECK(NumberOf("+" + digits, "") == NumberOf("00" + digits, ""));
    }
  }
}

TEST_CASE("a region's usual numbers are what the library tells of them") {
  namespace phones = i18n::phonenumbers;
  const auto* const library = phones::PhoneNumberUtil::GetInstance();
  std::mt19937 random{Catch::getSeed()};
  for (const std::string region : {"RU", "US", "CA"}) {
    for (int lead = 0; lead < 1000; ++lead) {
      for (const std::size_t length : {10U, 11U}) {
        std::string digits = std::to_string(1000 + lead).substr(1);
        if (digits.starts_with("00")) continue;  // abroad
        while (digits.size() < length) digits += static_cast<char>('0' + random() % 10);
        phones::PhoneNumber number;
        std::string told = "none";
        if (library->Parse(digits, region, &number) == phones::PhoneNumberUtil::NO_PARSING_ERROR &&
            library->IsPossibleNumberWithReason(number) == phones::PhoneNumberUtil::IS_POSSIBLE) {
          library->Format(number, phones::PhoneNumberUtil::E164, &told);
        }
        const auto own = ToE164(digits, region);
        INFO(region << " " << digits);
        CHECK((own ? own->e164 : "none") == told);
      }
    }
  }
}

TEST_CASE("a region of telephone numbers is two capitals that have rules") {
  for (const auto region : {"RU", "DE", "US", "CN", "KZ", "GB"}) CHECK(IsPhoneRegion(region));
  for (const auto region : {"", "ru", "XX", "001", "ZZ", "Russia", "R"}) {
    CHECK_FALSE(IsPhoneRegion(region));
  }
}

}  // namespace
}  // namespace coffer::crypto
