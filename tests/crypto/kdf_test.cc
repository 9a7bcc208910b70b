#include "crypto/kdf.h"

#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "tests/crypto/hex.h"

namespace coffer::crypto {
namespace {

std::string Argon2idHex(std::string_view passphrase, const Argon2idParameters& parameters) {
  const auto key = Argon2id(SecretBytes::CopyOf(AsBytes(passphrase)), parameters);
  return key ? HexEncode(key->ExposeSecret()) : std::string(key.error().reason);
}

std::string HkdfHex(const Bytes& key, const Bytes& salt, const Bytes& info, std::size_t size) {
  const auto derived = HkdfSha256(SecretBytes::CopyOf(key), salt, AsText(info), size);
  return derived ? HexEncode(derived->ExposeSecret()) : std::string(derived.error().reason);
}

Bytes Counting(std::uint8_t first, std::size_t size) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

Bytes Salt() { return Bytes(16, 2); }

}  // namespace

// RFC 9106's own vector has four lanes and a secret, which libsodium does not offer. These were
// computed with OpenSSL 4.0's Argon2id, an implementation of other authors, after it had given that
// vector and the reference implementation's one-lane vectors.
TEST_CASE("Argon2id agrees with another implementation") {
  const std::string_view salt = "somesaltsomesalt";
  CHECK(Argon2idHex("password",
                    {.passes = 2, .memory_kib = 64, .salt = Bytes(salt.begin(), salt.end())}) ==
        "1a98fba8e6394425c9bdc333a9c750aaf811df070f5fb4a5788e1cf4db5793a1");
  CHECK(Argon2idHex("correct horse battery staple",
                    {.passes = 3, .memory_kib = 64 * 1024, .salt = Counting(0, 16)}) ==
        "0d1a3c6523c8f06e4e0af9c515aa5b5448cfebd6838f2d52c3d8b6ef8ddc3c2e");
  CHECK(Argon2idHex(std::string(32, '\x01'), {.passes = 3, .memory_kib = 32, .salt = Salt()}) ==
        "30e0b44b7e23423b7282859ea36f02825b5828dde3c25f124d59d42d7235e132");
  CHECK(Argon2idHex("", {.passes = 1, .memory_kib = 8, .salt = Salt()}) ==
        "32b1329ca740d3f43ae5c47432e53c82dc8d0741c1f51f677051601fcb719f50");
}

TEST_CASE("Argon2id depends on each of its parameters") {
  const Argon2idParameters base{.passes = 1, .memory_kib = 8, .salt = Salt()};
  const std::string key = Argon2idHex("passphrase", base);
  auto other = base;
  other.passes = 2;
  CHECK(Argon2idHex("passphrase", other) != key);
  other = base;
  other.memory_kib = 16;
  CHECK(Argon2idHex("passphrase", other) != key);
  other = base;
  other.salt[0] ^= 1;
  CHECK(Argon2idHex("passphrase", other) != key);
  CHECK(Argon2idHex("passphrasf", base) != key);
}

TEST_CASE("Argon2id refuses parameters out of range") {
  const auto refused = [](std::uint32_t passes, std::uint32_t memory_kib, std::size_t salt) {
    const auto key = Argon2id(SecretBytes(12), {passes, memory_kib, Bytes(salt)});
    return !key && key.error().code == Code::kInvalidArgument;
  };
  CHECK(refused(0, 64, 16));
  CHECK(refused(17, 64, 16));
  CHECK(refused(1, 7, 16));
  CHECK(refused(1, 4 * 1024 * 1024 + 1, 16));
  CHECK(refused(1, 64, 15));
  CHECK(refused(1, 64, 17));
  CHECK(refused(1, 64, 0));
  CHECK_FALSE(refused(1, 8, 16));
}

// RFC 5869 appendix A, test cases 1 to 3.
TEST_CASE("HKDF-SHA-256 gives the published keys") {
  CHECK(HkdfHex(Bytes(22, 0x0b), Counting(0x00, 13), Counting(0xf0, 10), 42) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  CHECK(HkdfHex(Counting(0x00, 80), Counting(0x60, 80), Counting(0xb0, 80), 82) ==
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c6"
        "5e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  CHECK(HkdfHex(Bytes(22, 0x0b), {}, {}, 42) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("HKDF gives 1 to 8160 bytes and refuses the rest") {
  const Bytes key(32, 1);
  CHECK(HkdfHex(key, {}, {}, 1).size() == 2);
  CHECK(HkdfHex(key, {}, {}, 8160).size() == 2 * 8160);
  CHECK(HkdfHex(key, {}, {}, 0) == "kdf_parameters_invalid");
  CHECK(HkdfHex(key, {}, {}, 8161) == "kdf_parameters_invalid");
  CHECK(HkdfHex({}, {}, {}, 32) == "kdf_parameters_invalid");
  CHECK(HkdfHex(key, {}, Bytes(1024), 32).size() == 64);
  CHECK(HkdfHex(key, {}, Bytes(1025), 32) == "kdf_parameters_invalid");
}

TEST_CASE("keys derived for different purposes differ") {
  const Bytes key(32, 1);
  CHECK(HkdfHex(key, {}, {'a'}, 32) != HkdfHex(key, {}, {'b'}, 32));
}

}  // namespace coffer::crypto
