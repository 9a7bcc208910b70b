#include "crypto/sign.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/crypto/hex.h"

namespace coffer::crypto {
namespace {

struct KnownAnswer {
  std::string_view name, seed, public_key, message, signature;
};

// RFC 8032 section 7.1.
constexpr KnownAnswer kKnownAnswers[] = {
    {.name = "TEST 1",
     .seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     .public_key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     .message = "",
     .signature = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
                  "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {.name = "TEST 2",
     .seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     .public_key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     .message = "72",
     .signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
                  "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {.name = "TEST 3",
     .seed = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     .public_key = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     .message = "af82",
     .signature = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
                  "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

}  // namespace

TEST_CASE("Ed25519 gives the published keys and signatures") {
  for (const KnownAnswer& answer : kKnownAnswers) {
    INFO(answer.name);
    const auto key = SigningKey::FromSeed(SecretHex(answer.seed));
    REQUIRE(key);
    const Bytes message = Hex(answer.message);
    CHECK(HexEncode(key->public_key()) == answer.public_key);
    CHECK(HexEncode(key->Sign(message)) == answer.signature);
    CHECK(VerifySignature(key->public_key(), message, Hex(answer.signature)));
    CHECK(HexEncode(key->ExportSeed().ExposeSecret()) == answer.seed);
  }
}

TEST_CASE("verification rejects every single flipped bit of the signature and of the key") {
  const SigningKey key = SigningKey::Generate();
  const ByteView message = AsBytes("tree head 42");
  const Signature signature = key.Sign(message);
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Signature flipped = signature;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    CHECK_FALSE(VerifySignature(key.public_key(), message, flipped));
  }
  for (std::size_t bit = 0; bit < key.public_key().size() * 8; ++bit) {
    PublicKey flipped = key.public_key();
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    CHECK_FALSE(VerifySignature(flipped, message, signature));
  }
}

TEST_CASE("verification rejects another message, another signer and another length") {
  const SigningKey key = SigningKey::Generate();
  const Signature signature = key.Sign(AsBytes("tree head 42"));
  CHECK_FALSE(VerifySignature(key.public_key(), AsBytes("tree head 43"), signature));
  CHECK_FALSE(VerifySignature(key.public_key(), {}, signature));
  CHECK_FALSE(
      VerifySignature(SigningKey::Generate().public_key(), AsBytes("tree head 42"), signature));
  CHECK_FALSE(
      VerifySignature(key.public_key(), AsBytes("tree head 42"), ByteView(signature).first(63)));
  Bytes longer(signature.begin(), signature.end());
  longer.push_back(0);
  CHECK_FALSE(VerifySignature(key.public_key(), AsBytes("tree head 42"), longer));
  CHECK_FALSE(VerifySignature(key.public_key(), AsBytes("tree head 42"), {}));
}

// With the neutral element as public key, R = S·B verifies for every message unless refused.
TEST_CASE("verification rejects a public key of small order") {
  PublicKey neutral{};
  neutral[0] = 1;
  Bytes signature(64);
  signature[0] = 1;  // R is the neutral element, S is zero
  CHECK_FALSE(VerifySignature(neutral, AsBytes("anything"), signature));
}

// S + L satisfies the same equation: one message would have two valid signatures (RFC 8032 5.1.7).
TEST_CASE("verification rejects a signature whose S is not reduced") {
  const SigningKey key = SigningKey::Generate();
  Signature signature = key.Sign(AsBytes("tree head 42"));
  const Bytes order = Hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += signature[32 + i] + unsigned{order[i]};
    signature[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  CHECK_FALSE(VerifySignature(key.public_key(), AsBytes("tree head 42"), signature));
}

TEST_CASE("a seed of another size is refused") {
  for (const std::size_t size : {0UL, 31UL, 33UL, 64UL}) {
    const auto key = SigningKey::FromSeed(SecretBytes(size));
    REQUIRE_FALSE(key);
    CHECK(key.error().code == Code::kInvalidArgument);
  }
}

TEST_CASE("generated keys differ and survive export and import") {
  const SigningKey a = SigningKey::Generate();
  const SigningKey b = SigningKey::Generate();
  CHECK(a.public_key() != b.public_key());
  const auto again = SigningKey::FromSeed(a.ExportSeed());
  REQUIRE(again);
  CHECK(again->public_key() == a.public_key());
  CHECK(again->Sign(AsBytes("x")) == a.Sign(AsBytes("x")));
}

}  // namespace coffer::crypto
