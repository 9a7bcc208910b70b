#include "crypto/password_hash.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace coffer::crypto {
namespace {

constexpr PasswordCost kFast{.passes = 1, .memory_kib = 8};

SecretBytes Secret(std::string_view text) { return SecretBytes::CopyOf(AsBytes(text)); }

std::string FastHash(std::string_view password) {
  const auto hash = HashPassword(Secret(password), kFast);
  REQUIRE(hash);
  return *hash;
}

bool Verifies(std::string_view hash, std::string_view password) {
  return VerifyPassword(hash, Secret(password));
}

}  // namespace

// Of the reference implementation (P-H-C/phc-winner-argon2, src/test.c), and the first answer of
// kdf_test.cc, which is OpenSSL's, in the form of a password hash.
TEST_CASE("hashes of other implementations are verified") {
  const char* hashes[] = {
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
      "Gpj7qOY5RCXJvcMzqcdQqvgR3wcPX7SleI4c9NtXk6E"};
  for (const char* hash : hashes) {
    INFO(hash);
    CHECK(Verifies(hash, "password"));
    CHECK_FALSE(Verifies(hash, "passwore"));
    CHECK_FALSE(Verifies(hash, "Password"));
    CHECK_FALSE(Verifies(hash, "password "));
  }
}

TEST_CASE("a password is verified against its own hash, at the cost that the design states") {
  const auto hash = HashPassword(Secret("correct horse battery staple"));
  REQUIRE(hash);
  CHECK(hash->starts_with("$argon2id$v=19$m=65536,t=3,p=1$"));
  CHECK(hash->size() < 128);
  CHECK(Verifies(*hash, "correct horse battery staple"));
  CHECK_FALSE(Verifies(*hash, "correct horse battery stapl"));
  CHECK_FALSE(NeedsRehash(*hash));
}

TEST_CASE("two hashes of one password have nothing in common") {
  const std::string one = FastHash("correct horse"), two = FastHash("correct horse");
  CHECK(one != two);
  CHECK(one.substr(one.rfind('$')) != two.substr(two.rfind('$')));
  CHECK(Verifies(one, "correct horse"));
  CHECK(Verifies(two, "correct horse"));
}

TEST_CASE("a password typed on another keyboard is the same password") {
  const std::string hash = FastHash("Gr\u00fc\u00dfe aus K\u00f6ln");
  CHECK(Verifies(hash, "Gru\u0308\u00dfe aus Ko\u0308ln"));
  CHECK_FALSE(Verifies(hash, "Grusse aus Koln"));
  CHECK_FALSE(Verifies(hash, "gr\u00fc\u00dfe aus k\u00f6ln"));
}

TEST_CASE("every byte of a long password counts") {
  const std::string longest(kMaxPasswordBytes, 'x');
  const std::string hash = FastHash(longest);
  CHECK(Verifies(hash, longest));
  CHECK_FALSE(Verifies(hash, longest.substr(1)));
  CHECK_FALSE(Verifies(hash, longest.substr(1) + "y"));
}

TEST_CASE("a password that cannot be normalised is refused, and verifies nothing") {
  const std::string hash = FastHash("x");
  for (const std::string& password :
       {std::string(), std::string(kMaxPasswordBytes + 1, 'x'), std::string("x\0", 2),
        std::string("\xff"), std::string("x\xc3"), std::string("\xed\xa0\x80")}) {
    const auto refused = HashPassword(Secret(password), kFast);
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::kUnprocessable);
    CHECK(refused.error().reason == "password_malformed");
    CHECK_FALSE(Verifies(hash, password));
  }
}

TEST_CASE("a cost that is too low or too high is refused") {
  for (const PasswordCost& cost :
       {PasswordCost{.passes = 0, .memory_kib = 8}, PasswordCost{.passes = 17, .memory_kib = 8},
        PasswordCost{.passes = 1, .memory_kib = 7},
        PasswordCost{.passes = 1, .memory_kib = 1024 * 1024 + 1}}) {
    const auto refused = HashPassword(Secret("x"), cost);
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::kInvalidArgument);
    CHECK(refused.error().reason == "password_cost_invalid");
  }
}

TEST_CASE("text that is no hash of ours verifies nothing, and is to be replaced") {
  const std::string hash = FastHash("x");
  const std::string tail = hash.substr(hash.find("p=1$"));
  const std::string wide = std::string("$argon2id$v=19$m=8,t=1,") + tail;
  REQUIRE(Verifies(wide, "x"));  // what the others are changed from
  const std::string malformed[] = {
      "", "$", "x", "plain:x", hash + "x", hash + "$", hash.substr(0, hash.size() - 1),
      hash.substr(1), " " + hash, hash + std::string(1, '\0'), hash + std::string("\0x", 2),
      hash + "\n", hash.substr(0, hash.rfind('$')), hash.substr(0, hash.rfind('$') + 1),
      hash + std::string(200, 'A'), "$argon2i$v=19$m=8,t=3," + tail,
      "$argon2id$v=16$m=8,t=1," + tail, "$argon2id$m=8,t=1," + tail,
      "$argon2id$v=19$m=08,t=1," + tail, "$argon2id$v=19$m=+8,t=1," + tail,
      "$argon2id$v=19$t=1,m=8," + tail, "$argon2id$v=19$m=8,t=1,p=2" + tail.substr(3),
      "$argon2id$v=19$m=8,t=0," + tail,
      // What would take all memory, or a day:
      "$argon2id$v=19$m=4294967295,t=1," + tail,
      "$argon2id$v=19$m=99999999999999999999,t=1," + tail, "$argon2id$v=19$m=1048577,t=1," + tail,
      "$argon2id$v=19$m=8,t=4294967295," + tail,
      "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D"};
  for (const std::string& text : malformed) {
    INFO(text);
    CHECK_FALSE(Verifies(text, "x"));
    if (!text.starts_with(hash.substr(0, hash.rfind('$')))) CHECK(NeedsRehash(text));
  }
}

TEST_CASE("a hash with one character changed verifies nothing") {
  const std::string hash = FastHash("x");
  for (std::size_t i = hash.find("p=1$") + 4; i < hash.size(); ++i) {
    std::string changed = hash;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    INFO(changed);
    CHECK_FALSE(Verifies(changed, "x"));
  }
}

TEST_CASE("a hash of another cost still verifies, and is to be replaced") {
  const std::string hash = FastHash("x");
  CHECK(NeedsRehash(hash));
  CHECK_FALSE(NeedsRehash(hash, kFast));
  CHECK(NeedsRehash(hash, {.passes = 2, .memory_kib = 8}));
  CHECK(NeedsRehash(hash, {.passes = 1, .memory_kib = 16}));
  CHECK(Verifies(hash, "x"));
}

}  // namespace coffer::crypto
