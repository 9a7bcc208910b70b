#include "crypto/aead.h"

#include <openssl/err.h>

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <thread>
#include <vector>

#include "crypto/random.h"
#include "tests/crypto/child_process.h"
#include "tests/crypto/hex.h"

namespace coffer::crypto {
namespace {

constexpr std::string_view kPlaintext = "IBAN DE02120300000000202051";
constexpr std::uint32_t kKeyId = 0x01020304;

struct Sealed {
  SecretBytes key = SecretBytes::Random(kAeadKeyBytes);
  Bytes context = Bytes{'r', 'e', 'c', 'o', 'r', 'd', ' ', '1'};
  Bytes envelope = Seal(key.ExposeSecret(), kKeyId, context, AsBytes(kPlaintext));

  Result<Bytes> OpenEnvelope(ByteView other) const {
    return Open(key.ExposeSecret(), context, other);
  }
};

template <class T>
bool NotAuthentic(const Result<T>& result) {
  return !result && result.error().code == Code::kCorrupted &&
         result.error().reason == "envelope_not_authentic";
}

template <class T>
bool Malformed(const Result<T>& result) {
  return !result && result.error().code == Code::kCorrupted &&
         result.error().reason == "envelope_malformed";
}

}  // namespace

TEST_CASE("open gives back what was sealed") {
  const auto key = SecretBytes::Random(kAeadKeyBytes);
  const Bytes context{1};
  for (const std::size_t size : {0UL, 1UL, 15UL, 16UL, 17UL, 1024UL, 100'000UL}) {
    const Bytes plaintext = RandomBytes(size);
    const Bytes envelope = Seal(key.ExposeSecret(), 7, context, plaintext);
    CHECK(envelope.size() == size + kAeadOverhead);
    const auto opened = Open(key.ExposeSecret(), context, envelope);
    REQUIRE(opened);
    CHECK(*opened == plaintext);
    const auto secret = OpenSecret(key.ExposeSecret(), context, envelope);
    REQUIRE(secret);
    CHECK(ConstantTimeEqual(secret->ExposeSecret(), plaintext));
    Bytes slot(size);
    REQUIRE(OpenInto(key.ExposeSecret(), context, envelope, slot));
    CHECK(slot == plaintext);
  }
}

TEST_CASE("an envelope of format 1 written elsewhere opens") {
  // Made by another implementation (Python's cryptography) from the format's description.
  const auto key = SecretHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const Bytes envelope =
      Hex("0101020304a0a1a2a3a4a5a6a7a8a9aaab87380c4c3ca76dde06a659ba21075f44241bc4e81026aee549");
  CHECK(*KeyIdOf(envelope) == 0x01020304);
  const auto opened = Open(key.ExposeSecret(), AsBytes("a place"), envelope);
  REQUIRE(opened);
  CHECK(AsText(*opened) == "a payload");
}

TEST_CASE("the key id of an envelope can be read without its key") {
  const Sealed sealed;
  CHECK(*KeyIdOf(sealed.envelope) == kKeyId);
  CHECK(Malformed(KeyIdOf({})));
  CHECK(Malformed(KeyIdOf(Bytes(kAeadOverhead))));
}

TEST_CASE("sealing the same plaintext again repeats neither nonce nor ciphertext") {
  const Sealed sealed;
  std::set<std::string> nonces, ciphertexts;
  for (int i = 0; i < 1000; ++i) {
    const Bytes envelope =
        Seal(sealed.key.ExposeSecret(), kKeyId, sealed.context, AsBytes(kPlaintext));
    nonces.insert(HexEncode(ByteView(envelope).subspan(5, 12)));
    ciphertexts.insert(HexEncode(ByteView(envelope).subspan(17)));
  }
  CHECK(nonces.size() == 1000);
  CHECK(ciphertexts.size() == 1000);
}

TEST_CASE("open rejects a ciphertext moved to another context") {
  const Sealed sealed;
  const ByteView key = sealed.key.ExposeSecret();
  CHECK(NotAuthentic(Open(key, AsBytes("record 2"), sealed.envelope)));
  CHECK(NotAuthentic(Open(key, AsBytes("record 1 "), sealed.envelope)));
  CHECK(NotAuthentic(Open(key, AsBytes("record "), sealed.envelope)));
}

TEST_CASE("open rejects every single flipped bit") {
  const Sealed sealed;
  for (std::size_t bit = 0; bit < sealed.envelope.size() * 8; ++bit) {
    INFO("bit " << bit);
    Bytes flipped = sealed.envelope;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto opened = sealed.OpenEnvelope(flipped);
    // The first byte is the format, of which there is one.
    CHECK((bit < 8 ? Malformed(opened) : NotAuthentic(opened)));
  }
}

TEST_CASE("open rejects every truncation and every extension") {
  const Sealed sealed;
  for (std::size_t size = 0; size < sealed.envelope.size(); ++size) {
    INFO("first " << size << " bytes");
    const auto opened = sealed.OpenEnvelope(ByteView(sealed.envelope).first(size));
    CHECK((size < kAeadOverhead ? Malformed(opened) : NotAuthentic(opened)));
  }
  Bytes longer = sealed.envelope;
  longer.push_back(0);
  CHECK(NotAuthentic(sealed.OpenEnvelope(longer)));
}

TEST_CASE("open rejects another key") {
  const Sealed sealed;
  const auto other = SecretBytes::Random(kAeadKeyBytes);
  CHECK(NotAuthentic(Open(other.ExposeSecret(), sealed.context, sealed.envelope)));
  CHECK(NotAuthentic(OpenSecret(other.ExposeSecret(), sealed.context, sealed.envelope)));
}

TEST_CASE("open rejects a key id exchanged to choose another key") {
  const Sealed sealed;
  Bytes renamed = sealed.envelope;
  renamed[4] = 0x05;
  REQUIRE(*KeyIdOf(renamed) == 0x01020305);
  CHECK(NotAuthentic(sealed.OpenEnvelope(renamed)));
}

TEST_CASE("open rejects the tag of another envelope") {
  const Sealed sealed;
  const Bytes other = Seal(sealed.key.ExposeSecret(), kKeyId, sealed.context, AsBytes(kPlaintext));
  Bytes spliced = sealed.envelope;
  std::copy(other.end() - 16, other.end(), spliced.end() - 16);
  CHECK(NotAuthentic(sealed.OpenEnvelope(spliced)));
}

TEST_CASE("a slot never keeps what was not authentic, nor takes another size") {
  Sealed sealed;
  Bytes slot(kPlaintext.size(), 0xee);
  sealed.envelope.back() ^= 1;
  CHECK(NotAuthentic(OpenInto(sealed.key.ExposeSecret(), sealed.context, sealed.envelope, slot)));
  CHECK(slot == Bytes(kPlaintext.size(), 0));
  sealed.envelope.back() ^= 1;
  for (const std::size_t size : {kPlaintext.size() - 1, kPlaintext.size() + 1, std::size_t{0}}) {
    Bytes other(size);
    CHECK(Malformed(OpenInto(sealed.key.ExposeSecret(), sealed.context, sealed.envelope, other)));
  }
}

// A TLS connection served by the same thread would take the entry for its own failure.
TEST_CASE("a refused envelope leaves no error in the thread's OpenSSL queue") {
  Sealed sealed;
  sealed.envelope.back() ^= 1;
  CHECK_FALSE(sealed.OpenEnvelope(sealed.envelope));
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("threads seal and open at the same time") {
  const Sealed sealed;
  std::vector<std::thread> threads;
  std::vector<int> good(4);
  for (int& count : good) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const auto opened = sealed.OpenEnvelope(sealed.envelope);
        if (opened && AsText(*opened) == kPlaintext) ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == std::vector<int>(4, 500));
}

TEST_CASE("sealing without a context, or with a key of another size, aborts") {
  const auto key = SecretBytes::Random(kAeadKeyBytes);
  const Bytes context{1};
  CHECK(Aborts([&] { Seal(key.ExposeSecret(), 1, {}, {}); }));
  CHECK(Aborts([&] { Seal(key.ExposeSecret().first(16), 1, context, {}); }));
  CHECK(Aborts([&] { Seal({}, 1, context, {}); }));
  const Sealed sealed;
  CHECK(Aborts([&] { (void)Open(key.ExposeSecret(), {}, sealed.envelope); }));
}

}  // namespace coffer::crypto
