#include "crypto/secret_text.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "crypto/blind_index.h"

namespace coffer::crypto {
namespace {

SecretBytes SecretOf(std::string_view text) { return SecretBytes::CopyOf(AsBytes(text)); }

std::string TextOf(const Result<SecretBytes>& secret) {
  if (!secret) return std::string(secret.error().reason);
  return std::string(AsText(secret->ExposeSecret()));
}

std::string Normalised(std::string_view text) {
  return TextOf(NormaliseSecretText(SecretOf(text)));
}
std::string Folded(std::string_view text) { return TextOf(FoldSecretText(SecretOf(text))); }

std::string RepeatText(std::string_view text, std::size_t count) {
  std::string repeated;
  for (std::size_t i = 0; i < count; ++i) repeated += text;
  return repeated;
}

}  // namespace

// Examples of Unicode Standard Annex 15, figures 3 to 5.
TEST_CASE("spellings that are canonically equivalent give the same secret text") {
  CHECK(Normalised("A\u030a") == "\u00c5");
  CHECK(Normalised("\u212b") == "\u00c5");
  CHECK(Normalised("o\u0302\u0323") == "\u1ed9");
  CHECK(Normalised("\u1100\u1161") == "\uac00");  // Hangul
  CHECK(Normalised("\u0958") == "\u0915\u093c");  // composed form is excluded: NFC takes it apart
}

TEST_CASE("what differs in more than its spelling stays different") {
  CHECK(Normalised("\ufb01") == "\ufb01");  // a ligature is only compatible with its letters
  CHECK(Normalised("  Pass Word\t") == "  Pass Word\t");
  CHECK(Normalised("\U0001f469\u200d\U0001f467") == "\U0001f469\u200d\U0001f467");
  CHECK(Normalised("").empty());
  CHECK(Folded("").empty());
}

TEST_CASE("folding takes letters of one word for the same, whatever their case") {
  CHECK(Folded("PassWord") == "password");
  CHECK(Folded("STRASSE") == Folded("Stra\u00dfe"));
  CHECK(Folded("\u0390") == Folded("\u03b9\u0308\u0301"));
  CHECK(Folded("\u0130") == Folded("I\u0307"));
  CHECK(Folded("  A B ") == "  a b ");
}

TEST_CASE("secret texts are folded as other texts are") {
  for (const char* text : {"O\u2019Neill", "\u1e9e", "\u03a3\u03a3", "\u0149x", "\U00010400"}) {
    CHECK(Folded(text) == Normalise(Normalisation::kText, text).value());
  }
}

TEST_CASE("the text that grows most still fits") {
  CHECK(Normalised(RepeatText("\U0001d160", 1024)).size() == 1024 * 12);  // three code points of it
  CHECK(Folded(RepeatText("\u0390", 2048)) == RepeatText("\u0390", 2048));
  CHECK(Folded(RepeatText("\ufb03", 1365)) == RepeatText("ffi", 1365));
  CHECK(Normalised(RepeatText("\u0344", 2048)) == RepeatText("\u0308\u0301", 2048));
}

TEST_CASE("a secret text that is no clean UTF-8 is refused, and not repeated") {
  for (const std::string& text :
       {std::string("\x80"), std::string("zq7\xff"), std::string("zq7\xc3"),
        std::string("\xc0\x80"), std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"),
        std::string("zq7\0x", 5)}) {
    const auto normalised = NormaliseSecretText(SecretOf(text));
    REQUIRE(!normalised);
    CHECK(normalised.error().code == Code::kUnprocessable);
    CHECK(normalised.error().reason == "text_not_normalisable");
    CHECK(!normalised.error().detail.contains("zq7"));
    CHECK(!FoldSecretText(SecretOf(text)));
  }
  CHECK(NormaliseSecretText(SecretOf(std::string(kMaxSecretTextBytes, 'x'))));
  CHECK(!NormaliseSecretText(SecretOf(std::string(kMaxSecretTextBytes + 1, 'x'))));
}

}  // namespace coffer::crypto
