#include "crypto/blind_index.h"

#include <catch2/catch_test_macros.hpp>

#include "crypto/bytes.h"
#include "crypto/encoding.h"
#include "tests/crypto/hex.h"

namespace coffer::crypto {
namespace {

std::string Normal(Normalisation rule, std::string_view value) {
  auto normalised = Normalise(rule, value);
  if (normalised) return *std::move(normalised);
  const Error& error = normalised.error();
  const bool as_promised =
      error.code == Code::kUnprocessable && error.reason == "value_not_normalisable";
  return as_promised ? "refused" : "refused in another way";
}

std::string Exact(std::string_view value) { return Normal(Normalisation::kExact, value); }
std::string Text(std::string_view value) { return Normal(Normalisation::kText, value); }
std::string Email(std::string_view value) { return Normal(Normalisation::kEmail, value); }
std::string Phone(std::string_view value) { return Normal(Normalisation::kPhone, value); }

}  // namespace

TEST_CASE("exact values are composed and otherwise kept") {
  CHECK(Exact("Zoe\xCC\x88") == "Zo\xC3\xAB");  // e + diaeresis
  CHECK(Exact("\xE2\x84\xAB") == "\xC3\x85");   // Angstrom sign
  CHECK(Exact(" Two  Words ") == " Two  Words ");
  CHECK(Exact("ABC") == "ABC");
  CHECK(Exact("\xEF\xAC\x81") == "\xEF\xAC\x81");  // a ligature is not taken apart
}

TEST_CASE("texts are folded in full") {
  CHECK(Text("M\xC3\x9CLLER") == "m\xC3\xBCller");
  CHECK(Text("MU\xCC\x88LLER") == "m\xC3\xBCller");  // decomposed
  CHECK(Text("Stra\xC3\x9F"
             "e") == "strasse");  // sharp s
  CHECK(Text("STRA\xE1\xBA\x9E"
             "E") == "strasse");                  // capital sharp s
  CHECK(Text("\xEF\xAC\x81nance") == "finance");  // ligature fi
  CHECK(Text("\xCE\xA3\xCE\x99\xCE\xA3\xCE\xA5\xCE\xA6\xCE\x9F\xCE\xA3") ==
        Text("\xCF\x83\xCE\xB9\xCF\x83\xCF\x85\xCF\x86\xCE\xBF\xCF\x82"));  // final sigma
  // Folding takes U+0390 apart; it is composed again.
  CHECK(Text("\xCE\x90") == "\xCE\x90");
  CHECK(Text("\xE1\xBF\x93") == "\xCE\x90");
}

// Folding makes the iota below a letter of its own: the accents must stand in order before that.
TEST_CASE("texts that differ in the order of their accents only are one text") {
  CHECK(Text("\xCE\xB1\xCC\x81\xCD\x85") == "\xCE\xAC\xCE\xB9");
  CHECK(Text("\xCE\xB1\xCD\x85\xCC\x81") == "\xCE\xAC\xCE\xB9");
}

TEST_CASE("white space in texts is trimmed and made one space") {
  CHECK(Text("  Anna \t\r\n  Maria ") == "anna maria");
  CHECK(Text("Anna\xC2\xA0Maria") == "anna maria");  // no-break space
  CHECK(Text("\xE3\x80\x80"
             "Anna\xE2\x80\x83Maria") == "anna maria");  // ideographic, em
  CHECK(Text("x") == "x");
}

TEST_CASE("e-mail addresses lose all white space and case") {
  CHECK(Email(" Anna.Maria@Example.COM\n") == "anna.maria@example.com");
  CHECK(Email("anna @ example.com") == "anna@example.com");
  // What meets when white space goes is composed.
  CHECK(Email("zoe \xCC\x88@example.com") == "zo\xC3\xAB@example.com");
}

TEST_CASE("telephone numbers take one form") {
  CHECK(Phone("+49 (30) 123-456.7/8") == "+493012345678");
  CHECK(Phone("0049 30 12345678") == "+493012345678");
  CHECK(Phone("(0049) 30/12345678") == "+493012345678");
  CHECK(Phone("(+49)3012345678") == "+493012345678");
  CHECK(Phone("030 12345678") == "03012345678");
  CHECK(Phone("1234567") == "1234567");
  CHECK(Phone("+123456789012345") == "+123456789012345");
}

TEST_CASE("telephone numbers with letters, a misplaced plus or a wrong count are refused") {
  for (const std::string_view value :
       {"", "+", "00", "123456", "+123456", "00123456", "1234567890123456", "+1234567890123456",
        "001234567890123456", "1-800-FLOWERS", "+49+3012345678", "49+3012345678", "++493012345678",
        "+49 30 12345678 ext 9", "030\t1234567", "030,1234567",
        "\xD9\xA0\xD9\xA1\xD9\xA2\xD9\xA3\xD9\xA4\xD9\xA5\xD9\xA6\xD9\xA7"}) {
    INFO(value);
    CHECK(Phone(value) == "refused");
  }
  CHECK(Phone(std::string_view("0301234567\0", 11)) == "refused");
}

TEST_CASE("invalid UTF-8 is refused by every rule") {
  for (const std::string_view value :
       {"\xFF", "abc\xC3", "\xC0\x80", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
        "\xF8\x88\x80\x80\x80", "a\x80z"}) {
    CHECK(Exact(value) == "refused");
    CHECK(Text(value) == "refused");
    CHECK(Email(value) == "refused");
    CHECK(Phone(value) == "refused");
  }
}

TEST_CASE("a value with nothing in it is refused") {
  CHECK(Exact("") == "refused");
  CHECK(Text("") == "refused");
  CHECK(Text(" \t\n\xC2\xA0") == "refused");
  CHECK(Email(" ") == "refused");
  CHECK(Exact(" ") == " ");
}

TEST_CASE("the refused value is not repeated in the error") {
  const auto refused = Normalise(Normalisation::kPhone, "Geheimnummer");
  REQUIRE_FALSE(refused);
  CHECK_FALSE(refused.error().detail.contains("Geheim"));
}

TEST_CASE("normalising again changes nothing") {
  for (const std::string_view value :
       {"M\xC3\x9CLLER  l\xC3\xBC", "\xC4\xB0stanbul", "\xCE\x90\xCC\x81\xCD\x85",
        "\xCE\xB1\xCD\x85\xCC\x81", "\xE1\xBE\xB4", "\xC7\xB0 x", "\xEF\xAC\x83\xCC\x88",
        "o\xCC\xA8\xCC\x84 \xCC\x88", "\xF0\x90\x90\x80"}) {
    for (const auto rule : {Normalisation::kExact, Normalisation::kText, Normalisation::kEmail}) {
      const std::string once = Normal(rule, value);
      INFO(HexEncode(AsBytes(value)) << " " << HexEncode(AsBytes(once)));
      CHECK(Normal(rule, once) == once);
    }
  }
}

// The first half of the keyed hash that hash_test.cc checks against another implementation.
TEST_CASE("a blind token is the truncated keyed hash of domain and value") {
  const auto key = SecretHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  CHECK(HexEncode(ComputeBlindToken(key, "client/email", "anna@example.com")) ==
        "175c4ff738ad4a1be365773f29aea07f");
}

TEST_CASE("tokens of other domains, values or keys never match") {
  const auto key = SecretBytes::Random(32);
  const BlindToken token = ComputeBlindToken(key, "client/email", "anna@example.com");
  CHECK(token == ComputeBlindToken(key, "client/email", "anna@example.com"));
  CHECK(token != ComputeBlindToken(key, "client/other", "anna@example.com"));
  CHECK(token != ComputeBlindToken(key, "client/email", "anne@example.com"));
  CHECK(token != ComputeBlindToken(key, "client/emaila", "nna@example.com"));
  CHECK(token != ComputeBlindToken(SecretBytes::Random(32), "client/email", "anna@example.com"));
}

}  // namespace coffer::crypto
