// AES-256-GCM test cases 13 to 16 of McGrew and Viega, "The Galois/Counter Mode of Operation",
// appendix B: the submission behind NIST SP 800-38D.
#include <array>
#include <catch2/catch_test_macros.hpp>

#include "crypto/internal/aead_internal.h"
#include "tests/crypto/hex.h"

namespace coffer::crypto::internal {
namespace {

struct KnownAnswer {
  std::string_view name, key, nonce, aad, plaintext, ciphertext, tag;
};

constexpr KnownAnswer kKnownAnswers[] = {
    {.name = "test case 13",
     .key = "0000000000000000000000000000000000000000000000000000000000000000",
     .nonce = "000000000000000000000000",
     .aad = "",
     .plaintext = "",
     .ciphertext = "",
     .tag = "530f8afbc74536b9a963b4f1c4cb738b"},
    {.name = "test case 14",
     .key = "0000000000000000000000000000000000000000000000000000000000000000",
     .nonce = "000000000000000000000000",
     .aad = "",
     .plaintext = "00000000000000000000000000000000",
     .ciphertext = "cea7403d4d606b6e074ec5d3baf39d18",
     .tag = "d0d1c8a799996bf0265b98b5d48ab919"},
    {.name = "test case 15",
     .key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     .nonce = "cafebabefacedbaddecaf888",
     .aad = "",
     .plaintext = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     .ciphertext = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                   "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
     .tag = "b094dac5d93471bdec1a502270e3cc6c"},
    {.name = "test case 16",
     .key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     .nonce = "cafebabefacedbaddecaf888",
     .aad = "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     .plaintext = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     .ciphertext = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                   "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     .tag = "76fc6ece0f4e1768cddf8853bb2d551b"},
};

using Tag = std::array<std::uint8_t, kGcmTagBytes>;

}  // namespace

TEST_CASE("AES-256-GCM gives the published ciphertexts and tags") {
  for (const KnownAnswer& answer : kKnownAnswers) {
    INFO(answer.name);
    const Bytes key = Hex(answer.key), nonce = Hex(answer.nonce), aad = Hex(answer.aad);
    const Bytes plaintext = Hex(answer.plaintext);
    // However the additional data is cut in two, the result is one.
    for (std::size_t cut = 0; cut <= aad.size(); ++cut) {
      const GcmInput input{.key = key,
                           .nonce = nonce,
                           .aad_head = ByteView(aad).first(cut),
                           .aad = ByteView(aad).subspan(cut)};
      Bytes ciphertext(plaintext.size());
      Tag tag{};
      GcmEncrypt(input, plaintext, ciphertext, tag);
      CHECK(HexEncode(ciphertext) == answer.ciphertext);
      CHECK(HexEncode(tag) == answer.tag);

      Bytes opened(ciphertext.size());
      CHECK(GcmDecrypt(input, ciphertext, tag, opened));
      CHECK(opened == plaintext);
    }
  }
}

TEST_CASE("a plaintext that nobody vouches for is wiped") {
  const KnownAnswer& answer = kKnownAnswers[3];
  const Bytes key = Hex(answer.key), nonce = Hex(answer.nonce), aad = Hex(answer.aad);
  const Bytes ciphertext = Hex(answer.ciphertext);
  Bytes wrong_tag = Hex(answer.tag);
  wrong_tag.back() ^= 1;
  Bytes opened(ciphertext.size(), 0xee);
  const GcmInput input{.key = key, .nonce = nonce, .aad_head = {}, .aad = aad};
  CHECK_FALSE(GcmDecrypt(input, ciphertext, ByteView(wrong_tag).first<kGcmTagBytes>(), opened));
  CHECK(opened == Bytes(ciphertext.size(), 0));
}

}  // namespace coffer::crypto::internal
