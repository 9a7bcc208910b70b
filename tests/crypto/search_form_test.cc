// Spellings of one value have one form, and no two values have.
#include "crypto/search_form.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <string>
#include <vector>

#include "crypto/email_address.h"
#include "tests/support/sampling.h"

namespace coffer::crypto {
namespace {

using Spellings = std::vector<std::string>;
using Values = std::vector<Spellings>;  // of each value, every spelling

std::string FormFor(Normalisation rule, const std::string& value, std::string_view region = "") {
  const auto form = SearchForm(rule, region, value);
  return form ? *form : "refused: " + form.error().issues.at(0).message;
}

void CheckForms(Normalisation rule, std::string_view region, const Values& values) {
  for (const Spellings& spellings : values) {
    const std::string form = FormFor(rule, spellings.front(), region);
    INFO(form);
    REQUIRE_FALSE(form.starts_with("refused: "));
    for (const std::string& spelling : spellings) CHECK(FormFor(rule, spelling, region) == form);
    // What is found under it is found by it.
    CHECK(FormFor(rule, form, region) == form);
    for (const Spellings& other : values) {
      if (&other == &spellings) continue;
      for (const std::string& spelling : other) {
        INFO(spelling);
        CHECK(FormFor(rule, spelling, region) != form);
      }
    }
  }
}

TEST_CASE("text is found however its characters are written") {
  CheckForms(Normalisation::kText, "",
             {{"Йодко", "И\u0306одко", "ЙОДКО", "  йодко\u00a0", "й\u200bодко"},
              {"Иодко"},
              {"Zürich", "Zu\u0308rich", "ZÜRICH"},
              {"Zurich"},
              {"Straße", "STRASSE", "strasse"},
              {"01067", "\uff10\uff11\uff10\uff16\uff17", " 01067 "},
              {"1067"},
              {"Office", "O\ufb03ce", "OFFICE"},
              {"Anna  Maria", "anna\u3000maria", "ANNA MARIA", "Anna\tMaria"},
              {"AnnaMaria"},
              {"No 7", "\u2116 7"},
              {"O'Brien"},
              {"O\u2019Brien"},
              {"Щёткин", "Ще\u0308ткин"},
              {"Щеткин"}});
  CHECK(FormFor(Normalisation::kText, " \u00a0\u200b").starts_with("refused: "));
}

TEST_CASE("a name is found loosely without what is left out in a hurry, and not by other letters") {
  CheckForms(Normalisation::kLoose, "",
             {{"Щёткин", "Щеткин", "ЩЕТКИН", "щёткин", "Ще\u0301ткин"},
              {"Йодко", "И\u0306одко", "ЙОДКО"},
              {"Иодко"},
              {"Київ"},
              {"Киів"},
              {"Müller", "Muller", "MÜLLER", "Mu\u0308ller"},
              {"Mueller"},
              {"Čonce", "Conce"},
              {"O\u2019Nonesuch", "O'Nonesuch", "ONonesuch", "o`nonesuch", "O\u02bcNonesuch",
               "O\u02beNonesuch", "O\u02bfNonesuch"},
              {"O Nonesuch"},
              {"ИВАНОВ-ПЕТРОВ", "Иванов Петров", "Иванов \u2013 Петров", "иванов\u2010петров"},
              {"ИвановПетров"},
              {"Łódź", "Lodz"},
              {"Søren", "Soren"},
              {"İpek", "Ipek", "ıpek"},
              {"Straße", "Strasse"},
              {"Παπαδόπουλος", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "Παπαδοπουλος"},
              {"\u304c"},  // two letters of Japanese, which a mark tells apart
              {"\u304b"},
              {"\u0645\u064f\u062d\u064e\u0645\u0651\u062f", "\u0645\u062d\u0645\u062f"},
              {"\u0645\u0640\u064f\u062d", "\u0645\u062d"},  // a vowel point on a letter stretched
              {"\u05d2\u05f3\u05d5", "\u05d2'\u05d5"},
              {"\u0149uus", "'nuus", "\u02bcnuus"},
              {"\u0628\u0624"},
              {"\u0628\u0648"},
              {"-"},
              {"'"}});
}

using Rewrite = std::function<icu::UnicodeString(const icu::UnicodeString&)>;

Rewrite By(const icu::Normalizer2* (*instance)(UErrorCode&)) {
  return [instance](const icu::UnicodeString& text) {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* const normalizer = instance(status);
    REQUIRE(U_SUCCESS(status));
    return normalizer->normalize(text, status);
  };
}

std::string Utf8(const icu::UnicodeString& text) {
  std::string utf8;
  text.toUTF8String(utf8);
  return utf8;
}

// Every character, between letters and before a mark.
TEST_CASE("each character's canonical forms, capitals and its own form are found as it is") {
  const std::pair<const char*, Rewrite> rewrites[] = {
      {"NFC", By(icu::Normalizer2::getNFCInstance)},
      {"NFD", By(icu::Normalizer2::getNFDInstance)},
      {"casefolded", By(icu::Normalizer2::getNFKCCasefoldInstance)},
      {"capitals", [](icu::UnicodeString text) { return text.toUpper(); }},
      {"small", [](icu::UnicodeString text) { return text.toLower(); }},
      {"with what is not seen", [](icu::UnicodeString text) { return text.append(0x200B); }}};
  std::string wrong;
  for (const auto rule : {Normalisation::kText, Normalisation::kLoose}) {
    for (UChar32 c = 1; c < 0x10000; c += testing::Every(7)) {
      if (!u_isdefined(c) || (c >= 0xD800 && c < 0xE000)) continue;
      // The acute accent is an apostrophe, and none of what it is made of; the iota below is a
      // letter in capitals, which marks behind stand on; Turkish is not known to be.
      if (c == 0xB4 || c == 0x1FFD || c == 0x345 || c == 0x131) continue;
      const UChar32 marks[] = {u'b', 0x308};
      for (const UChar32 next : marks) {
        icu::UnicodeString text(u'a');
        text.append(c).append(next);
        const std::string form = FormFor(rule, Utf8(text));
        const auto check = [&](const char* name, const std::string& spelling) {
          if (FormFor(rule, spelling) == form || wrong.size() > 1000) return;
          wrong += std::to_string(static_cast<int>(rule)) + " U+" + std::to_string(c) + " " + name +
                   ": " + spelling + " is not " + form + "\n";
        };
        for (const auto& [name, rewrite] : rewrites) check(name, Utf8(rewrite(text)));
        check("its form", form);
      }
    }
  }
  INFO(wrong);
  REQUIRE(wrong == "");
}

TEST_CASE("an e-mail address is found however its domain and its ends are written") {
  CheckForms(Normalisation::kEmail, "",
             {{"почта@пример.рф", "почта@xn--e1afmkfd.xn--p1ai", "ПОЧТА@ПРИМЕР.РФ",
               "mailto:почта@пример.рф", "почта@пример\u3002рф", "почта\uff20пример.рф",
               "по\u00adчта@пример.рф", "почта@XN--E1AFMKFD.xn--P1AI"},
              {"почта@пример.ру"},
              {"x21@example.org", " X21@EXAMPLE.ORG\u00a0", "MAILTO: x21@example.org",
               "x21@example.org.", "\ufeffx21@example.org", "x21@\uff45xample.org"},
              {"x 21@example.org"},
              {"x21@example.com"},
              {"x21@example"},
              {"a@strasse.example"},
              {"a@stra\u00dfe.example", "a@xn--strae-oqa.example"},
              {"a_b@C_D.-E-.example", "A_B@c_d.-e-.EXAMPLE"},
              {"a.b@example.org"},
              {"ab@example.org"},
              {"not an address"},
              {"a@b@c"}});
}

TEST_CASE("a telephone number is found by its region's spellings, and never by another's digits") {
  CheckForms(Normalisation::kPhone, "RU",
             {{"+7 (495) 555-01-20", "8 (495) 555-01-20", "74955550120", "4955550120",
               "tel:+74955550120", "+7\u00a0495\u00a0555\u00a001\u00a020"},
              {"+7 495 555 01 20 доб. 12", "84955550120 ext 12", "+74955550120;ext=12"},
              {"+7 495 555 01 20 доб. 1", "+7 495 555 01 20 x1"},
              {"+44 (0)20 7946 0120", "+442079460120", "00 44 20 7946 0120"},
              {"74955550120.0"},  // as it may be stored from before
              {"749555501200"},
              {"+7 495 555"}});
  CheckForms(Normalisation::kPhone, "",
             {{"+7 495 555-01-20", "007 495 555 01 20", "tel:+7(495)5550120"},
              {"8 (495) 555-01-20", "8-495-555-01-20", "\u202a84955550120\u202c"},
              {"4955550120"},
              {"74955550120"},
              {"74955550120.0"},
              {"749555501200"},
              {"84955550120 доб. 12", "8 495 5550120 x12"},
              {"8495555012012"}});
  for (const auto* none : {"call me", "", "12", "+74955550120, +74955550121"}) {
    CHECK(FormFor(Normalisation::kPhone, none).starts_with("refused: "));
  }
}

TEST_CASE("what has exact values has them to the character") {
  CheckForms(Normalisation::kExact, "",
             {{"Zürich", "Zu\u0308rich"}, {"zürich"}, {" Zürich"}, {"\uff11"}, {"1"}});
}

TEST_CASE("what is in the way of an e-mail address is named, with its place") {
  const std::pair<const char*, const char*> rows[] = {
      {"UPPER@EXAMPLE.ORG", ""},
      {"trail@example.org ", ""},
      {"\u00a0 nbsp@example.org", ""},
      {"mailto:x21@example.org", ""},
      {"почта@пример.рф", ""},
      {"x21@example", ""},
      {"x21@example.org.", ""},
      {"o'x+y@sub-1.example.org", ""},
      {"x21@[2001:db8::1]", ""},
      {"'x21@example.org'", "''' at character 17 is no part of an e-mail address"},
      {"mailto:x21@example.org?subject=a", "'?' at character 23 is no part of an e-mail address"},
      {"x21@example.org/b", "'/' at character 16 is no part of an e-mail address"},
      {"Alpha <x21b@example.org>", "U+0020 (SPACE) at character 6 is no part of an e-mail address"},
      {"<x21b@example.org>", "'<' at character 1 is no part of an e-mail address"},
      {"a21@example.org; b21@example.org", "has a second address, from character 16 on"},
      {"a21@example.org,b21@example.org", "has a second address, from character 16 on"},
      {"a21@example.org ::: b21@example.org",
       "U+0020 (SPACE) at character 16 is no part of an e-mail address"},
      {"x@@example.org", "has a second '@' at character 3"},
      {"n/a", "has no '@'"},
      {"@example.org", "has nothing before its '@'"},
      {"x@", "has no domain behind its '@'"},
      {"x21 @example.org", "U+0020 (SPACE) at character 4 is no part of an e-mail address"},
      {"zw\u200b21@example.org",
       "U+200B (ZERO WIDTH SPACE) at character 3 is no part of an e-mail address"},
      {"x21@exam\u200bple.org",
       "U+200B (ZERO WIDTH SPACE) at character 9 is no part of an e-mail address"},
      {"x21\u00a0@example.org",
       "U+00A0 (NO-BREAK SPACE) at character 4 is no part of an e-mail address"}};
  for (const auto& [typed, fault] : rows) {
    INFO(typed);
    CHECK(EmailFault(typed).value_or("") == fault);
  }
}

TEST_CASE("the number of the rules is one that was not given out before") {
  CHECK(SearchRules() >= 256);
  CHECK(SearchRules() == SearchRules());
}

}  // namespace
}  // namespace coffer::crypto
