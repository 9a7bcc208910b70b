#include "crypto/hash.h"

#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/crypto/child_process.h"
#include "tests/crypto/hex.h"

namespace coffer::crypto {
namespace {

std::string Sha256Hex(std::string_view text) { return HexEncode(Sha256(AsBytes(text))); }

// The key 00 01 … 1f.
SecretBytes CountingKey() {
  SecretBytes key(32);
  std::uint8_t next = 0;
  for (std::uint8_t& byte : key.ExposeSecretForWriting()) byte = next++;
  return key;
}

std::string KeyedHex(std::initializer_list<ByteView> parts) {
  return HexEncode(KeyedHash(CountingKey(), parts));
}

}  // namespace

// FIPS 180-4 with NIST's example values for SHA-256 (CSRC, "Cryptographic Standards: examples").
TEST_CASE("SHA-256 gives the published digests") {
  CHECK(Sha256Hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(Sha256Hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 of parts is that of their concatenation") {
  const std::string text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const ByteView bytes = AsBytes(text);
    CHECK(Sha256({bytes.first(cut), {}, bytes.subspan(cut)}) == Sha256(bytes));
  }
}

TEST_CASE("SHA-256 works on every thread, also on one that ends") {
  Hash hash{};
  std::thread([&] { hash = Sha256(AsBytes("abc")); }).join();
  CHECK(hash == Sha256(AsBytes("abc")));
}

// Computed with CPython's hashlib.blake2b (the reference implementation of RFC 7693), the parts
// written out with their lengths.
TEST_CASE("keyed BLAKE2b agrees with another implementation") {
  CHECK(KeyedHex({}) == "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d");
  CHECK(KeyedHex({{}}) == "223b9a195adefb1f293d6c0971a8fdb3d95276881614005cc0773778f9fdd202");
  CHECK(KeyedHex({AsBytes("abc")}) ==
        "5b73af91afe1f77d7b5bef28845d1e84042bb4f8ff72b77a01ae8cf3523ce65f");
  CHECK(KeyedHex({AsBytes("client/email"), AsBytes("anna@example.com")}) ==
        "175c4ff738ad4a1be365773f29aea07fe69158e77f918ce90a7b38bc4daf84d9");
}

TEST_CASE("no two lists of parts share a keyed hash by being cut elsewhere") {
  CHECK(KeyedHex({AsBytes("abc")}) != KeyedHex({AsBytes("ab"), AsBytes("c")}));
  CHECK(KeyedHex({AsBytes("ab"), AsBytes("c")}) != KeyedHex({AsBytes("a"), AsBytes("bc")}));
  CHECK(KeyedHex({AsBytes("abc")}) != KeyedHex({AsBytes("abc"), {}}));
}

TEST_CASE("another key gives another keyed hash") {
  CHECK(KeyedHash(SecretBytes::Random(32), {AsBytes("abc")}) !=
        KeyedHash(SecretBytes::Random(32), {AsBytes("abc")}));
  CHECK(Aborts([] { KeyedHash(SecretBytes(31), {}); }));
}

}  // namespace coffer::crypto
