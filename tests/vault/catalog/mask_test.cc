#include "vault/catalog/mask.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "crypto/encoding.h"

namespace coffer::vault {
namespace {

using crypto::Normalisation;
using crypto::SecretBytes;
using nlohmann::json;

SecretBytes KeyOf(std::uint8_t byte) {
  REQUIRE(crypto::InitializeCrypto());
  return SecretBytes::CopyOf(crypto::Bytes(32, byte));
}

const SecretBytes& VaultKey() {
  static const SecretBytes key = KeyOf(7);
  return key;
}

Field FieldOf(MaskRule rule, FieldType type = FieldType::kString,
              Normalisation normalisation = Normalisation::kText) {
  Field field;
  field.name = "field";
  field.type = type;
  field.mask = rule;
  field.normalisation = normalisation;
  return field;
}

json Mask(MaskRule rule, const json& value, FieldType type = FieldType::kString) {
  return MaskValue("contact", FieldOf(rule, type), value, VaultKey());
}

std::string Email(const std::string& text) { return Mask(MaskRule::kEmail, text); }
std::string Phone(const std::string& text) { return Mask(MaskRule::kPhone, text); }
std::string LastFour(const std::string& text) { return Mask(MaskRule::kLastFour, text); }
std::string Initials(const std::string& text) { return Mask(MaskRule::kInitials, text); }
std::string Year(const std::string& text) { return Mask(MaskRule::kYear, text, FieldType::kDate); }

std::string Hash(const json& value, const Field& field = FieldOf(MaskRule::kHash),
                 std::string_view class_name = "contact", const SecretBytes& key = VaultKey()) {
  return MaskValue(class_name, field, value, key);
}

constexpr MaskRule kRules[] = {MaskRule::kEmail, MaskRule::kPhone,    MaskRule::kLastFour,
                               MaskRule::kYear,  MaskRule::kInitials, MaskRule::kConstant,
                               MaskRule::kHash};
constexpr FieldType kTypes[] = {FieldType::kString,  FieldType::kText,  FieldType::kInteger,
                                FieldType::kDecimal, FieldType::kDate,  FieldType::kDateTime,
                                FieldType::kEmail,   FieldType::kPhone, FieldType::kChoice,
                                FieldType::kBoolean, FieldType::kList};

const std::string kFamily =
    "\U0001f468\u200d\U0001f469\u200d\U0001f467";        // one character of five code points
const std::string kFlag = "\U0001f1e9\U0001f1ea";        // two that are one
const std::string kThumb = "\U0001f44d\U0001f3fd";       // with a colour of skin
const std::string kEAcute = "e\u0301";                   // a letter and its mark
const std::string kZalgo = "Z\u0351\u0343\u036f\u0302";  // a letter and four

TEST_CASE("an e-mail address shows its first letter and its domain") {
  CHECK(Email("jane@example.com") == "j***@example.com");
  CHECK(Email("Jane.Doe+tag@sub.example.com") == "J***@sub.example.com");
  CHECK(Email("jo@example.com") == "j***@example.com");
  CHECK(Email("\u5c71\u7530@\u4f8b.jp") == "\u5c71***@\u4f8b.jp");
  CHECK(Email("\u05d3\u05d5\u05d3@example.com") == "\u05d3***@example.com");
  CHECK(Email(kEAcute + "tienne@example.com") == kEAcute + "***@example.com");
  CHECK(Email("_jane@example.com") == "j***@example.com");
  CHECK(Email(kFamily + "jane@example.com") == "j***@example.com");
}

TEST_CASE("an e-mail address with one letter in front of the @ does not show it") {
  CHECK(Email("j@example.com") == "***@example.com");
  CHECK(Email("\u5c71@example.com") == "***@example.com");
  CHECK(Email(kEAcute + "@example.com") == "***@example.com");
  CHECK(Email("-j-@example.com") == "***@example.com");
  CHECK(Email("j\u200b@example.com") == "***@example.com");  // beside something invisible
}

TEST_CASE("what is no e-mail address shows nothing, also not behind an @") {
  for (const char* text :
       {"", "@", "j", "jane", "jane@", "@example.com", "a@b@c", "jane@example.com, joe@example.com",
        "jane@example.com joe", "Jane <jane@example.com>", "call @ noon", "x@y\nsecret",
        "x@y\u00a0secret", "x@y\u3000secret", "\u200b@example.com", "\u0301@example.com", "jane@-",
        "jane@[10.0.0.1]", "jane@x\u202ey"}) {
    INFO(text);
    CHECK(Email(text) == "***");
  }
}

TEST_CASE("a telephone number shows its last two digits") {
  CHECK(Phone("+49 30 1234520") == "***20");
  CHECK(Phone("(030) 123-45-20") == "***20");
  CHECK(Phone("1234520") == "***20");
  CHECK(Phone("+49 30 12345 2 0") == "***20");
  CHECK(Phone("\u0661\u0662\u0663\u0664\u0665\u0666\u0667") == "***67");
  CHECK(Phone("+7 495 555 01 20 доб. 1234") == "***20");
  CHECK(Phone("\u202a+74955550120\u202c") == "***20");
  CHECK(Phone("74955550120.0") == "***00");  // as it may be stored from before
}

TEST_CASE("what is no telephone number shows nothing") {
  for (const char* text : {"", "20", "123456", "1234567890123456", "ext. 1234567", "12345+67",
                           "++1234567", "1234567, 7654321"}) {
    INFO(text);
    CHECK(Phone(text) == "***");
  }
}

TEST_CASE("of eight characters and more the last four are shown") {
  CHECK(LastFour("4111111111114242") == "****4242");
  CHECK(LastFour("DE89 3704 0044 0532 0130 00") == "****3000");
  CHECK(LastFour("12345678") == "****5678");
  CHECK(LastFour("\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b") ==
        "****\u4e94\u516d\u4e03\u516b");
  CHECK(LastFour("\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5\u05d6\u05d7") ==
        "****\u05d4\u05d5\u05d6\u05d7");
  CHECK(LastFour("abcd" + kFamily + kFlag + kThumb + kEAcute) ==
        "****" + kFamily + kFlag + kThumb + kEAcute);
}

TEST_CASE("of less than eight characters none is shown, however many bytes they have") {
  CHECK(LastFour("") == "***");
  CHECK(LastFour("1234") == "***");
  CHECK(LastFour("1234567") == "***");
  CHECK(LastFour("\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03") == "***");
  CHECK(LastFour(kFamily + kFamily) == "***");
  CHECK(LastFour(kZalgo + kZalgo + kZalgo) == "***");
  CHECK(LastFour("e\u0301e\u0301e\u0301e\u0301") == "***");
}

TEST_CASE("what is invisible does not make a short value long") {
  CHECK(LastFour("    1234") == "***");
  CHECK(LastFour("1234    ") == "***");
  CHECK(LastFour("1\t2\n3 4\u00a0\u3000") == "***");
  CHECK(LastFour("\u200b\u200b\u200b\u200b1234") == "***");  // zero-width spaces
  CHECK(LastFour("\u2060\u00ad\u202e\u20661234") == "***");  // joiner, soft hyphen, directions
  CHECK(LastFour("\u0301\u0301\u0301\u03011234") == "***");
  CHECK(LastFour("\u3164\u3164\u3164\u31641234") == "***");  // Hangul filler
  CHECK(LastFour("12345678\u202e") == "****5678");
}

TEST_CASE("a date shows its year") {
  CHECK(Year("1984-05-01") == "1984");
  CHECK(Mask(MaskRule::kYear, "1984-12-31T23:30:00-05:00", FieldType::kDateTime) == "1984");
}

TEST_CASE("what is no date shows no year") {
  for (const char* text : {"", "1984", "1984-", "198", "19840501", "84-05-01", "x984-05-01",
                           "01-05-1984", "\u0661\u0662-05-01"}) {
    INFO(text);
    CHECK(Year(text) == "***");
  }
  CHECK(Mask(MaskRule::kYear, "1984-05-01", FieldType::kString) == "***");
  CHECK(Mask(MaskRule::kYear, "1984-05-01", FieldType::kText) == "***");
}

TEST_CASE("a name shows the first letter of each word") {
  CHECK(Initials("Jane Miller") == "J. M.");
  CHECK(Initials("  Jane\u00a0van\tder\nMeer\u3000") == "J. v. d. M.");
  CHECK(Initials("Jean-Luc O'Neill") == "J. O.");
  CHECK(Initials("'t Hooft") == "*. H.");
  CHECK(Initials("(Jane) \u00abMiller\u00bb - III") == "J. M. I.");
  CHECK(Initials("\u00c9tienne " + kEAcute + "tienne") == "\u00c9. " + kEAcute + ".");
  CHECK(Initials("\u05d3\u05d5\u05d3 \u05db\u05d4\u05df") == "\u05d3. \u05db.");
  CHECK(Initials("\u0645\u062d\u0645\u062f \u0639\u0644\u064a") == "\u0645. \u0639.");
  CHECK(Initials("\u5c71\u7530\u592a\u90ce") == "\u5c71.");
  CHECK(Initials("\ud55c\uad6d") == "\ud55c.");
  CHECK(Initials("\u202eJane \u200bMiller") == "J. M.");  // not what turns the line around
  CHECK(Initials(kFamily + " Jane") == "J.");
  CHECK(Initials("7Seas Ltd") == "7. L.");
}

TEST_CASE("a word of one letter is not its own initial") {
  CHECK(Initials("Jane M. Doe") == "J. *. D.");
  CHECK(Initials("J. R. R. Tolkien") == "*. *. *. T.");
  for (const std::string& text :
       {std::string("J"), std::string("J."), std::string("J. M."), std::string("J M"),
        std::string("\u674e \u660e"), std::string("\u674e"), kEAcute, kZalgo, kEAcute + ".",
        std::string(), std::string("   "), std::string("..."), std::string("- -"), kFamily,
        kFlag + " " + kThumb, std::string("***"), std::string("\u0301")}) {
    INFO(text);
    CHECK(Initials(text) == "***");
  }
}

TEST_CASE("the rule constant shows nothing, and the rule none everything") {
  CHECK(Mask(MaskRule::kConstant, "secret") == "***");
  CHECK(Mask(MaskRule::kConstant, 7, FieldType::kInteger) == "***");
  for (const json& value : {json("secret"), json(7), json(true), json({"a", "b"}), json(nullptr)}) {
    CHECK(Mask(MaskRule::kNone, value) == value);
  }
}

TEST_CASE("values of another type than text are not shown") {
  for (const MaskRule rule : kRules) {
    if (rule == MaskRule::kHash) continue;
    for (const FieldType type : kTypes) {
      for (const json& value :
           {json(12345678), json(-1), json(true), json(nullptr), json(1.5), json::array(),
            json::object(), json::array({"jane@example.com"}), json({{"a", "12345678"}})}) {
        CHECK(Mask(rule, value, type) == "***");
      }
    }
  }
  for (const json& value : {json(nullptr), json(1.5), json::object(), json::array({1, 2}),
                            json::array({json::array({"a"})}), json({{"a", "12345678"}})}) {
    CHECK(Hash(value) == "***");
  }
}

TEST_CASE("text that is no clean UTF-8 is not shown") {
  for (const std::string& text : {std::string("1234567\xff"), std::string("\xc3@example.com"),
                                  std::string("jane@x\xed\xa0\x80"), std::string("12345678\0", 9),
                                  std::string("1984-05-01\x80"), std::string("J\xf0\x9f n")}) {
    for (const MaskRule rule : kRules) CHECK(Mask(rule, text, FieldType::kDate) == "***");
    CHECK(Hash({text, "a"}) == "***");
  }
}

// Whatever rule and value meet, also where the class gave a field a rule that does not fit it.
TEST_CASE("no mask holds the whole value, or all of its letters in their order") {
  const std::string pieces[] = {"J",          "jane",         "@",      "example.com", " ",
                                ".",          "12",           "34567",  "+49",         "-",
                                "1984-05-01", kEAcute,        kFlag,    kFamily,       kZalgo,
                                "\u5c71",     "\u05d3\u05d5", "\u202e", "\u200b",      "'",
                                "\n"};
  auto letters = [](std::string_view text) {
    std::string kept;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x80 || std::isalnum(byte) != 0) kept += c;
    }
    return kept;
  };
  std::size_t shown = 0;
  for (const auto& a : pieces) {
    for (const auto& b : pieces) {
      for (const auto& c : pieces) {
        const std::string value = a + b + c;
        for (const MaskRule rule : kRules) {
          if (rule == MaskRule::kHash) continue;
          const std::string masked = Mask(rule, value, FieldType::kDate);
          if (masked == "***") continue;
          ++shown;
          if (masked.contains(value) || letters(masked).contains(letters(value))) {
            FAIL_CHECK("'" << value << "' is shown as '" << masked << "'");
          }
        }
      }
    }
  }
  CHECK(shown > 1000);
}

TEST_CASE("a long value is masked as a short one is") {
  std::string text(65'536, 'x');
  CHECK(LastFour(text) == "****xxxx");
  CHECK(Initials(text) == "x.");
  std::string marks = "e";
  for (int i = 0; i < 30'000; ++i) marks += "\u0301";
  CHECK(LastFour(marks) == "***");
  CHECK(Initials(marks) == "***");
}

// BLAKE2b of RFC 7693 by another implementation (Python's hashlib), over the lengths and parts that
// hash.h states: masks that somebody noted down stay what they are.
TEST_CASE("the hash of a value is the one it has always been") {
  CHECK(Hash("Jane Miller") == "62jMlD1p7DoktE2c");
}

TEST_CASE("a hash is 16 characters, and tells values apart") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string hash = Hash("value " + std::to_string(i));
    CHECK(hash.size() == 16);
    seen.insert(hash);
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("spellings of one value have one hash") {
  CHECK(Hash("Jane Miller") == Hash("  jane   MILLER "));
  CHECK(Hash("\u00c9tienne") == Hash("e\u0301tienne"));
  CHECK(Hash("Stra\u00dfe") == Hash("STRASSE"));
  const Field email = FieldOf(MaskRule::kHash, FieldType::kEmail, Normalisation::kEmail);
  CHECK(Hash("jane@example.com", email) == Hash("Jane@Example.COM", email));
  const Field phone = FieldOf(MaskRule::kHash, FieldType::kPhone, Normalisation::kPhone);
  CHECK(Hash("+49 30 1234520", phone) == Hash("0049 (30) 123-45-20", phone));
  const Field date = FieldOf(MaskRule::kHash, FieldType::kDate, Normalisation::kExact);
  CHECK(Hash("a", date) != Hash("A", date));
}

TEST_CASE("a value that its normalisation does not take still has a hash") {
  const Field phone = FieldOf(MaskRule::kHash, FieldType::kPhone, Normalisation::kPhone);
  CHECK(Hash("ask reception", phone).size() == 16);
  CHECK(Hash("ask reception", phone) != Hash("ask the reception", phone));
  CHECK(Hash("").size() == 16);
  CHECK(Hash("") != Hash("x"));
}

TEST_CASE("numbers, truths and lists have hashes of their own") {
  CHECK(Hash(7) == Hash(7));
  CHECK(Hash(7) != Hash(-7));
  CHECK(Hash(true) != Hash(false));
  CHECK(Hash({"a", "b"}) == Hash({"A", " b"}));
  CHECK(Hash({"a", "b"}) != Hash({"b", "a"}));
  CHECK(Hash({"a", "b"}) != Hash({"ab"}));
  CHECK(Hash({"ab", "c"}) != Hash({"a", "bc"}));
  CHECK(Hash(json::array()) != Hash(json::array({""})));
  CHECK(Hash(json::array()).size() == 16);
}

TEST_CASE("one value has other hashes in other fields, classes and vaults") {
  Field other = FieldOf(MaskRule::kHash);
  other.name = "other";
  const SecretBytes other_key = KeyOf(8);
  const std::set<std::string> hashes = {Hash("x"), Hash("x", other),
                                        Hash("x", FieldOf(MaskRule::kHash), "payment"),
                                        Hash("x", FieldOf(MaskRule::kHash), "contact", other_key)};
  CHECK(hashes.size() == 4);
}

TEST_CASE("a hash is not the token by which the value is found") {
  for (const std::string domain : {"contact/field", "mask/field", "mask/contact/field"}) {
    const auto token = crypto::ComputeBlindToken(VaultKey(), domain, "x");
    const auto text = crypto::Base64UrlEncode(crypto::ByteView(token).first(12));
    CHECK((Hash("x") == text) == (domain == "mask/contact/field"));
  }
}

TEST_CASE("views are in the order of what they show") {
  CHECK(View::kNone < View::kPresence);
  CHECK(View::kPresence < View::kMasked);
  CHECK(View::kMasked < View::kPlain);
}

TEST_CASE("threads mask at the same time") {
  VaultKey();  // made before, as Catch2's macros are for one thread
  std::vector<std::thread> threads;
  std::array<bool, 4> right{};
  for (std::size_t i = 0; i < right.size(); ++i) {
    threads.emplace_back([&right, i] {
      bool all = true;
      for (int round = 0; round < 1000; ++round) {
        const std::string text = "abcdefg" + std::to_string(i) + kEAcute;
        all = all && LastFour(text) == "****fg" + std::to_string(i) + kEAcute;
      }
      right[i] = all;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(std::ranges::all_of(right, [](bool r) { return r; }));
}

}  // namespace
}  // namespace coffer::vault
