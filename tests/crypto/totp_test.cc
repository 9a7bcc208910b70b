#include "crypto/totp.h"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "tests/crypto/hex.h"

namespace coffer::crypto {
namespace {

SecretBytes TotpSecret(std::string_view text) { return SecretBytes::CopyOf(AsBytes(text)); }

// RFC 6238 appendix B, SHA-1.
const SecretBytes& RfcSecret() {
  static const SecretBytes secret = TotpSecret("12345678901234567890");
  return secret;
}

struct TotpAnswer {
  std::int64_t time;
  std::string_view code;  // the last six of the eight digits that are published
};
constexpr TotpAnswer kRfc6238[] = {{59, "287082"},         {1111111109, "081804"},
                                   {1111111111, "050471"}, {1234567890, "005924"},
                                   {2000000000, "279037"}, {20000000000, "353130"}};

// RFC 4226 appendix D has the codes of the first ten steps of the same secret.
constexpr std::string_view kRfc4226[] = {"755224", "287082", "359152", "969429", "338314",
                                         "254676", "287922", "162583", "399871", "520489"};

std::optional<std::uint64_t> Match(std::string_view code, std::int64_t now,
                                   std::uint64_t last_used = 0) {
  return MatchTotp(RfcSecret(), code, now, last_used);
}

}  // namespace

TEST_CASE("the codes of RFC 6238 appendix B match at their times") {
  for (const auto& [time, code] : kRfc6238) {
    INFO(time);
    CHECK(Match(code, time) == static_cast<std::uint64_t>(time / 30));
  }
}

TEST_CASE("a code is right during its step and one to each side, to the second") {
  const std::int64_t start = 5 * 30;
  const auto code = kRfc4226[5];
  CHECK(Match(code, start - 31) == std::nullopt);
  CHECK(Match(code, start - 30) == 5);
  CHECK(Match(code, start) == 5);
  CHECK(Match(code, start + 29) == 5);
  CHECK(Match(code, start + 59) == 5);
  CHECK(Match(code, start + 60) == std::nullopt);
}

TEST_CASE("each code is taken once, and none from before a code that was taken") {
  const std::int64_t now = 5 * 30;
  CHECK(Match(kRfc4226[5], now, 4) == 5);
  CHECK(Match(kRfc4226[5], now, 5) == std::nullopt);
  CHECK(Match(kRfc4226[5], now + 29, 5) == std::nullopt);
  CHECK(Match(kRfc4226[4], now, 5) == std::nullopt);
  CHECK(Match(kRfc4226[6], now, 5) == 6);
  CHECK(Match(kRfc4226[5], now, 6) == std::nullopt);
  CHECK(Match(kRfc4226[6], now, ~std::uint64_t{0}) == std::nullopt);
}

TEST_CASE("a clock that is set back brings no used code back") {
  CHECK(Match(kRfc4226[8], 8 * 30) == 8);
  for (std::size_t step = 0; step < std::size(kRfc4226) - 1; ++step) {
    CHECK(Match(kRfc4226[step], static_cast<std::int64_t>(step) * 30, 8) == std::nullopt);
  }
}

TEST_CASE("where two steps have one code, using it uses up both") {
  constexpr std::uint64_t kStep = 910737;  // found by search: the first one of RFC 6238's secret
  constexpr std::int64_t kVerifiedAt = kStep * 30;
  const std::string_view code = "911617";
  const auto first = Match(code, kVerifiedAt);
  REQUIRE(first == kStep + 1);
  CHECK(Match(code, kVerifiedAt, kStep) == kStep + 1);
  CHECK(Match(code, kVerifiedAt, *first) == std::nullopt);
  CHECK(Match(code, kVerifiedAt + 30, *first) == std::nullopt);
}

TEST_CASE("the ends of time match or do not, and break nothing") {
  CHECK(Match(kRfc4226[0], 0) == std::nullopt);  // step 0 counts as used: it was in 1970
  CHECK(Match(kRfc4226[1], 0) == 1);
  CHECK(Match(kRfc4226[1], -1) == std::nullopt);
  CHECK(Match(kRfc4226[1], INT64_MIN) == std::nullopt);
  CHECK(Match(kRfc4226[1], INT64_MAX) == std::nullopt);
}

TEST_CASE("what is not six ASCII digits is no code") {
  for (const std::string& code :
       {std::string(), std::string("28708"), std::string("2870820"), std::string("94287082"),
        std::string("287 082"), std::string(" 287082"), std::string("287082\n"),
        std::string("287082\0", 7), std::string("\0\0\0\0\0\0", 6), std::string("28708a"),
        std::string("+87082"), std::string("\u0662\u0668\u0667"),
        std::string("\uff12\uff18\uff17\uff10\uff18\uff12")}) {
    CHECK(Match(code, 59) == std::nullopt);
  }
}

TEST_CASE("a wrong code or another secret matches nothing") {
  CHECK(Match("287083", 59) == std::nullopt);
  CHECK(MatchTotp(TotpSecret("12345678901234567891"), "287082", 59, 0) == std::nullopt);
  CHECK(MatchTotp(TotpSecret("123456789012345"), "287082", 59, 0) == std::nullopt);
  CHECK(MatchTotp(SecretBytes(), "287082", 59, 0) == std::nullopt);
}

TEST_CASE("new secrets are 20 bytes, and no two are the same") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const SecretBytes secret = NewTotpSecret();
    CHECK(secret.size() == 20);
    seen.insert(HexEncode(secret.ExposeSecret()));
  }
  CHECK(seen.size() == 100);
}

TEST_CASE("the URI is what authenticator apps read") {
  CHECK(TotpUri("Coffer", "jane@example.com", RfcSecret()) ==
        "otpauth://totp/Coffer:jane%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Coffer&algorithm=SHA1&digits=6&period=30");
  // Base32 of RFC 4648 section 10, without its padding.
  CHECK(TotpUri("C", "a", TotpSecret("foobar")).contains("?secret=MZXW6YTBOI&"));
}

TEST_CASE("names cannot add to the URI, nor stand for one another") {
  CHECK(TotpUri("A & B", "x?secret=AAAA&issuer=Z#", RfcSecret())
            .starts_with("otpauth://totp/A%20%26%20B:x%3Fsecret%3DAAAA%26issuer%3DZ%23?secret="
                         "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=A%20%26%20B&"));
  CHECK(
      TotpUri("Coffer", "Bank:jane", RfcSecret()).starts_with("otpauth://totp/Coffer:Bank-jane?"));
  CHECK(TotpUri("K\u00f6ln", "100% \u5c71/\n", RfcSecret())
            .starts_with("otpauth://totp/K%C3%B6ln:100%25%20%E5%B1%B1%2F%0A?"));
}

}  // namespace coffer::crypto
