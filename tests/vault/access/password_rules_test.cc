#include "vault/access/password_rules.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "vault/access/common_passwords.h"

namespace coffer::vault {
namespace {

using crypto::SecretBytes;

// The messages, joined; empty when the password may be chosen.
std::string Faults(std::string_view password, std::string_view account = "jane.miller@example.com",
                   SecondFactor second_factor = SecondFactor::kNone) {
  REQUIRE(crypto::InitializeCrypto());
  std::string faults;
  for (const Issue& issue :
       PasswordIssues(SecretBytes::CopyOf(crypto::AsBytes(password)), account, second_factor)) {
    CHECK(issue.pointer == "/password");
    faults += (faults.empty() ? "" : "; ") + issue.message;
  }
  return faults;
}

std::string FaultsWithSecondFactor(std::string_view password) {
  return Faults(password, "jane.miller@example.com", SecondFactor::kRequired);
}

std::string Repeat(std::string_view text, std::size_t count) {
  std::string repeated;
  for (std::size_t i = 0; i < count; ++i) repeated += text;
  return repeated;
}

constexpr std::string_view kCommon = "is one of the first that would be guessed";
constexpr std::string_view kShort = "must have at least 15 characters";
constexpr std::string_view kShortSecond = "must have at least 8 characters";
constexpr std::string_view kLong = "must have at most 256 bytes";
constexpr std::string_view kMalformed = "must be valid UTF-8 without U+0000";
constexpr std::string_view kAccount = "must not contain the name of the account";
constexpr std::string_view kProduct = "must not contain the name of the product";

TEST_CASE("a long password of any composition may be chosen") {
  for (const char* password :
       {"seven blue ladders lean", "sevenblueladders", "SEVENBLUELADDERS", "840275193046281",
        "!?_-!*+~#<>|%&/", "sieben blaue Leitern \u00fcber Gr\u00e4ben", "xkqv wplz trbn d",
        "\u4e03\u628a\u84dd\u8272\u7684\u68af\u5b50\u9760\u5728\u5899\u4e0a\u5f88\u4e45\u4e86\u3002"
        "\u554a",
        " leading and trailing ", "tab\tand\nnewline are fine", "hunter's green cabbages"}) {
    INFO(password);
    CHECK(Faults(password).empty());
  }
}

TEST_CASE("a password alone has 15 characters, one beside a second factor has 8") {
  CHECK(Faults("vqkzwmxrtbnpgd") == kShort);
  CHECK(Faults("vqkzwmxrtbnpgdh").empty());
  CHECK(FaultsWithSecondFactor("vqkzwmx") == kShortSecond);
  CHECK(FaultsWithSecondFactor("vqkzwmxr").empty());
  CHECK(Faults("") == kShort);
  CHECK(FaultsWithSecondFactor("") == kShortSecond);
}

TEST_CASE("characters are counted, not bytes, and the same in every spelling") {
  const std::string fourteen =
      "v\u00e4\u00f6\u00fc\u00e9\u00e8\u00ea\u00e1\u00e0\u00e2\u00ed\u00ec\u00eex";
  CHECK(Faults(fourteen) == kShort);
  CHECK(Faults(fourteen + "\u00f3").empty());
  CHECK(Faults("vqkzwmxrtbnpge\u0301") == Faults("vqkzwmxrtbnpg\u00e9"));
  CHECK(Faults("vqkzwmxrtbnpe\u0301") == kShort);  // 15 code points as typed, 14 in NFC
  CHECK(FaultsWithSecondFactor("\U0001f600\U0001f680\U0001f408\U0001f355\U0001f3b8\U0001f30b"
                               "\U0001f9ca") == kShortSecond);
}

TEST_CASE("a password has at most 256 bytes") {
  std::string text;
  for (int i = 0; text.size() < 300; ++i) text += std::to_string(i * 7919) + "x";
  CHECK(Faults(text.substr(0, 256)).empty());
  CHECK(Faults(text.substr(0, 257)) == kLong);
  CHECK(Faults(std::string(10'000'000, 'x')) == kLong);
}

TEST_CASE("a password that is no clean UTF-8 is refused for that alone") {
  for (const std::string& password :
       {std::string("vqkzwmxrtbnpgdhs\xff"), std::string("\xc3vqkzwmxrtbnpgdhs"),
        std::string("vqkz\xed\xa0\x80wmxrtbnpgdhs"), std::string("vqkzwmxrtbnpgdhs\0", 17),
        std::string("\xc0\x80")}) {
    CHECK(Faults(password) == kMalformed);
  }
}

TEST_CASE("the commonest passwords are refused, in either case and with digits around them") {
  for (const char* password :
       {"password1234567", "Password!!!!!!!", "PASSWORD 2024 !!", "2024-Password-2024",
        "passwordpassword", "PasswordPassword1", "password1password1password1", "iloveyou1234567",
        "...Football2026...", "correcthorsebatterystaple", "thequickbrownfox", "qwerty1234567890",
        "administrator1!", "MayTheForceBeWithYou", "!!!supersecretpassword!!!"}) {
    INFO(password);
    CHECK(Faults(password) == kCommon);
  }
  for (const char* password :
       {"password", "PassWord", "passw0rd", "p@ssw0rd", "summer2026", "Summer2026", "LetMeIn123",
        "trustno1", "willkommen", "motdepasse"}) {
    INFO(password);
    CHECK(FaultsWithSecondFactor(password) == kCommon);
  }
}

TEST_CASE("every entry of the list is refused") {
  for (const std::string_view entry : CommonPasswords()) {
    INFO(entry);
    CHECK(FaultsWithSecondFactor(entry).contains(kCommon));
    CHECK(FaultsWithSecondFactor(std::string(entry) + std::string(entry)).contains(kCommon));
  }
}

TEST_CASE("the list is what its own first lines say") {
  const auto all = CommonPasswords();
  CHECK(all.size() >= 300);
  CHECK(std::ranges::is_sorted(all));
  CHECK(std::ranges::adjacent_find(all) == all.end());
  for (const std::string_view entry : all) {
    INFO(entry);
    CHECK(entry.size() >= 8);
    CHECK(std::ranges::all_of(
        entry, [](char c) { return c > ' ' && c < '\x7f' && (c < 'A' || c > 'Z'); }));
  }
}

TEST_CASE("walks over a keyboard are refused, in both directions") {
  for (const char* password :
       {"qwertyuiopasdfg", "QWERTYUIOPASDFGHJKL", "lkjhgfdsapoiuytrewq", "qwertzuiopasdfgh",
        "azertyuiopqsdfghj", "1qaz2wsx3edc4rfv", "vfr4cde3xsw2zaq1", "1q2w3e4r5t6y7u8i",
        "zxcvbnm,./zxcvbnm,./", "asdfghjkl123456", "1234567890qwertyuiop", "asdfghjklasdfghjkl"}) {
    INFO(password);
    CHECK(Faults(password) == kCommon);
  }
}

TEST_CASE("sequences are refused, in both directions") {
  for (const char* password : {"abcdefghijklmno", "ponmlkjihgfedcba", "0123456789012345",
                               "5432109876543210", "ABCDEFGH12345678", "99999999abcdefgh"}) {
    INFO(password);
    CHECK(Faults(password) == kCommon);
  }
  CHECK(Faults("abcdefgjihklmnop").empty());
}

TEST_CASE("a few characters again and again are refused") {
  for (const std::string& password :
       {std::string(15, 'a'), std::string(256, ' '), Repeat("ab", 8), Repeat("abc", 6),
        Repeat("1234", 4) + "12", Repeat("dragon", 3), Repeat("letmein", 3),
        Repeat("Ab", 4) + Repeat("aB", 4), Repeat("\u00e4", 15), Repeat("\u5c71\u7530", 8),
        Repeat("\U0001f600", 15)}) {
    INFO(password);
    CHECK(Faults(password) == kCommon);
  }
  CHECK(Faults(Repeat("vqkzwmxr", 2)).empty());
}

TEST_CASE("a password does not contain the account's name") {
  CHECK(Faults("vqkz jane.miller wmxr") == kAccount);
  CHECK(Faults("Jane.Miller@Example.com 1") == kAccount);
  CHECK(Faults("vqkz-wmxr-jdoe-7", "jdoe") == kAccount);
  CHECK(Faults("vqkz-wmxr-JDOE-7", "jdoe") == kAccount);
  CHECK(Faults("vqkz-wmxr-jdoe-7", "JDoe") == kAccount);
  CHECK(Faults("vqkz-STRASSE-wmxr", "stra\u00dfe") == kAccount);
  CHECK(Faults("vqkz-E\u0301tienne-wmxr", "\u00e9tienne") == kAccount);
  CHECK(Faults("vqkz wmxr example.com").empty());
}

TEST_CASE("a name that nearly every text has does not count") {
  CHECK(Faults("seven blue ladders", "e").empty());
  CHECK(Faults("seven blue ladders", "se").empty());
  CHECK(Faults("seven blue ladders", "sev") == kAccount);
  CHECK(Faults("seven blue ladders", "e@example.com").empty());
  CHECK(Faults("seven blue ladders", "").empty());
  CHECK(Faults("seven blue ladders", "@").empty());
  CHECK(Faults("seven blue ladders", "   ").empty());
  CHECK(Faults("seven blue ladders", "\xff\xff\xff\xff").empty());
}

TEST_CASE("a password does not contain the product's name") {
  CHECK(Faults("vqkz Coffer wmxr 7") == kProduct);
  CHECK(Faults("COFFERvqkzwmxrt") == kProduct);
}

TEST_CASE("all that is wrong is said at once, and nothing of the password") {
  const std::string faults = Faults("Coffer jdoe", "jdoe");
  CHECK(faults ==
        std::string(kShort) + "; " + std::string(kAccount) + "; " + std::string(kProduct));
}

TEST_CASE("a password that is hard to compare is compared soon") {
  for (const std::string& password :
       {std::string(255, 'a') + "b", Repeat("ab", 127) + "ba", Repeat("1", 255) + "x",
        Repeat("\u0390", 128), Repeat("\U0001d160", 64)}) {
    (void)Faults(password, Repeat("a", 10'000));
  }
}

}  // namespace
}  // namespace coffer::vault
