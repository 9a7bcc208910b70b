#include "crypto/hash_batch.h"

#include <catch2/catch_test_macros.hpp>
#include <deque>

#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::crypto {
namespace {

TEST_CASE("hashes of a batch are those of the messages, whatever their lengths and number") {
  HashBatch batch;
  for (const std::size_t count : {0U, 1U, 2U, 15U, 16U, 17U, 33U, 600U}) {
    std::deque<Bytes> messages;
    std::vector<Hash> hashes(count);
    for (std::size_t i = 0; i < count; ++i) {
      Bytes& message = messages.emplace_back(i * 7);
      for (std::size_t k = 0; k < message.size(); ++k) {
        message[k] = static_cast<std::uint8_t>(i + k * 31);
      }
      batch.Add(message, hashes[i]);
    }
    batch.Finish();
    for (std::size_t i = 0; i < count; ++i) CHECK(hashes[i] == Sha256(messages[i]));
  }
}

TEST_CASE("long messages, and none, have their place in a batch") {
  HashBatch batch;
  std::deque<Bytes> messages;
  std::deque<Hash> hashes;
  for (const std::size_t size : {0U, 1U, 32768U, 32769U, 65535U, 65536U, 3000000U, 5U}) {
    batch.Add(messages.emplace_back(size, std::uint8_t{0x5A}), hashes.emplace_back());
  }
  batch.Finish();
  for (std::size_t i = 0; i < messages.size(); ++i) CHECK(hashes[i] == Sha256(messages[i]));
}

// FIPS 180-4, the examples that NIST publishes for SHA-256.
TEST_CASE("a batch gives the hashes that NIST gives") {
  const std::string_view messages[] = {"abc",
                                       "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"};
  const std::string_view expected[] = {
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"};
  Hash hashes[2];
  HashBatch batch;
  for (int i = 0; i < 2; ++i) batch.Add(AsBytes(messages[i]), hashes[i]);
  batch.Finish();
  for (int i = 0; i < 2; ++i) CHECK(HexEncode(hashes[i]) == expected[i]);
}

}  // namespace
}  // namespace coffer::crypto
