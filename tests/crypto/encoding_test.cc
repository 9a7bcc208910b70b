#include "crypto/encoding.h"

#include <catch2/catch_test_macros.hpp>

#include "crypto/random.h"

namespace coffer::crypto {
namespace {

struct Pair {
  std::string_view bytes, text;
};

std::string Decoded(const Result<Bytes>& bytes) {
  return bytes ? std::string(AsText(*bytes)) : "refused";
}

}  // namespace

// RFC 4648 section 10.
TEST_CASE("base64 and hexadecimal give the published texts") {
  constexpr Pair kBase64[] = {{"", ""},
                              {"f", "Zg=="},
                              {"fo", "Zm8="},
                              {"foo", "Zm9v"},
                              {"foob", "Zm9vYg=="},
                              {"fooba", "Zm9vYmE="},
                              {"foobar", "Zm9vYmFy"}};
  for (const Pair& pair : kBase64) {
    CHECK(Base64Encode(AsBytes(pair.bytes)) == pair.text);
    CHECK(Decoded(Base64Decode(pair.text)) == pair.bytes);
    const auto url = pair.text.substr(0, pair.text.find('='));
    CHECK(Base64UrlEncode(AsBytes(pair.bytes)) == url);
    CHECK(Decoded(Base64UrlDecode(url)) == pair.bytes);
  }
  CHECK(HexEncode(AsBytes("foobar")) == "666f6f626172");
  CHECK(Decoded(HexDecode("666f6f626172")) == "foobar");
}

TEST_CASE("the two base64 alphabets differ in the last two characters only") {
  const Bytes bytes{0xfb, 0xff, 0xfe};
  CHECK(Base64Encode(bytes) == "+//+");
  CHECK(Base64UrlEncode(bytes) == "-__-");
  CHECK(Decoded(Base64Decode("-__-")) == "refused");
  CHECK(Decoded(Base64UrlDecode("+//+")) == "refused");
}

TEST_CASE("every text decodes to what it encodes") {
  for (std::size_t size = 0; size < 70; ++size) {
    const Bytes bytes = RandomBytes(size);
    CHECK(*HexDecode(HexEncode(bytes)) == bytes);
    CHECK(*Base64Decode(Base64Encode(bytes)) == bytes);
    CHECK(*Base64UrlDecode(Base64UrlEncode(bytes)) == bytes);
  }
  for (int i = 0; i < 100; ++i) {
    Id128 id;
    FillRandom(id);
    CHECK(*Base32Decode(Base32Encode(id)) == id);
  }
}

TEST_CASE("base64 decoding refuses a second spelling of a value") {
  // "Zg==" is 'f'; the others have bits behind it that are not zero.
  for (const std::string_view text : {"Zh==", "Zi==", "Zv==", "Zm9=", "Zm+="}) {
    INFO(text);
    CHECK(Decoded(Base64Decode(text)) == "refused");
  }
  CHECK(Decoded(Base64UrlDecode("Zh")) == "refused");
  CHECK(Decoded(Base64UrlDecode("Zm9")) == "refused");
}

TEST_CASE("base64 decoding refuses missing, surplus and misplaced padding and foreign characters") {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zm8", "Zm9v=", "Zm9v====", "Z===", "====", "=",
        "==", "Zg==Zg==", "Z=g=", "Zm 9v", " Zm9v", "Zm9v\n", "Zm9\xff", "Zm9v Zg="}) {
    INFO(text);
    CHECK(Decoded(Base64Decode(text)) == "refused");
  }
  for (const std::string_view text : {"Z", "Zg==", "Zm8=", "Zm9vY", "Zm 9", "Zm9v\n"}) {
    INFO(text);
    CHECK(Decoded(Base64UrlDecode(text)) == "refused");
  }
  CHECK(Decoded(Base64Decode(std::string_view("Zm9\0", 4))) == "refused");
}

TEST_CASE("hexadecimal decoding takes every byte and no other character") {
  for (int value = 0; value < 256; ++value) {
    const Bytes byte{static_cast<std::uint8_t>(value)};
    CHECK(*HexDecode(HexEncode(byte)) == byte);
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    INFO(value);
    CHECK(HexDecode(std::string{'0', c}).has_value() == kDigits.contains(c));
    CHECK(HexDecode(std::string{c, '0'}).has_value() == kDigits.contains(c));
  }
  CHECK(Decoded(HexDecode("0")) == "refused");
  CHECK(Decoded(HexDecode("AB")) == "refused");
}

TEST_CASE("base32 puts the most significant bits first") {
  CHECK(Base32Encode(Id128{}) == "00000000000000000000000000");
  Id128 id{};
  id[15] = 1;
  CHECK(Base32Encode(id) == "00000000000000000000000001");
  id = {};
  id[0] = 0x80;
  CHECK(Base32Encode(id) == "40000000000000000000000000");
  id.fill(0xff);
  CHECK(Base32Encode(id) == "7zzzzzzzzzzzzzzzzzzzzzzzzz");
  // The example of the ULID specification's text form, in lower case.
  const auto ulid = Base32Decode("01arz3ndektsv4rrffq69g5fav");
  REQUIRE(ulid);
  CHECK(HexEncode(*ulid) == "01563e3ab5d3d6764c61efb99302bd5b");
  CHECK(Base32Encode(*ulid) == "01arz3ndektsv4rrffq69g5fav");
}

TEST_CASE("base32 decoding keeps the order of ids as texts and as numbers") {
  Id128 low{}, high{};
  for (int i = 0; i < 100; ++i) {
    FillRandom(low);
    FillRandom(high);
    CHECK((low < high) == (Base32Encode(low) < Base32Encode(high)));
  }
}

TEST_CASE("base32 decoding refuses forbidden letters, capitals, other lengths and overflow") {
  const std::string good = "01arz3ndektsv4rrffq69g5fav";
  REQUIRE(Base32Decode(good));
  for (const char c : std::string_view("ilouILOUABZ-_ \n\0*{", 19)) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] = c;
      INFO(bad);
      CHECK_FALSE(Base32Decode(bad));
    }
  }
  for (const char c : std::string_view("89abcdefghjkmnpqrstvwxyz")) {
    std::string above = good;
    above[0] = c;
    CHECK_FALSE(Base32Decode(above));
  }
  CHECK_FALSE(Base32Decode(""));
  CHECK_FALSE(Base32Decode(good.substr(1)));
  CHECK_FALSE(Base32Decode(good + "0"));
}

TEST_CASE("a refused text is not repeated in the error") {
  const auto refused = Base64Decode("secret!!");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kInvalidArgument);
  CHECK_FALSE(refused.error().detail.contains("secret"));
}

}  // namespace coffer::crypto
