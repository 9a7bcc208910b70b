#include "crypto/secret_bytes.h"

#include <catch2/catch_test_macros.hpp>
#include <type_traits>
#include <utility>

#include "crypto/random.h"

namespace coffer::crypto {

static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);
static_assert(!std::is_convertible_v<SecretBytes, ByteView>);

TEST_CASE("a new secret is all zeros") {
  const SecretBytes secret(100);
  REQUIRE(secret.size() == 100);
  for (const std::uint8_t byte : secret.ExposeSecret()) CHECK(byte == 0);
}

TEST_CASE("random secrets differ") {
  const auto a = SecretBytes::Random(32);
  CHECK_FALSE(a == SecretBytes::Random(32));
  CHECK(a == a.Clone());
}

TEST_CASE("moving a secret leaves nothing behind") {
  auto from = SecretBytes::CopyOf(AsBytes("a secret"));
  SecretBytes to(std::move(from));
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move): what is asked
  CHECK(from.ExposeSecret().data() == nullptr);
  CHECK(AsText(to.ExposeSecret()) == "a secret");
  SecretBytes other = SecretBytes::Random(4);
  other = std::move(to);
  CHECK(to.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(AsText(other.ExposeSecret()) == "a secret");
  SecretBytes& itself = other;
  other = std::move(itself);
  CHECK(AsText(other.ExposeSecret()) == "a secret");
}

TEST_CASE("an empty secret is like any other") {
  const SecretBytes none, zero(0);
  CHECK(none.empty());
  CHECK(none == zero);
  CHECK(none.Clone().empty());
  CHECK(SecretBytes::CopyOf({}).empty());
  CHECK(SecretBytes::Random(0).empty());
  CHECK_FALSE(none == SecretBytes(1));
}

TEST_CASE("comparison finds a difference in any byte and in length") {
  const Bytes bytes = RandomBytes(40);
  CHECK(ConstantTimeEqual(bytes, Bytes(bytes)));
  CHECK(ConstantTimeEqual({}, {}));
  CHECK_FALSE(ConstantTimeEqual(bytes, ByteView(bytes).first(39)));
  CHECK_FALSE(ConstantTimeEqual(bytes, {}));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes other = bytes;
    other[i] ^= 0x10;
    CHECK_FALSE(ConstantTimeEqual(bytes, other));
  }
}

TEST_CASE("wiping overwrites all of the memory") {
  Bytes bytes(40, 0xee);
  Wipe(bytes);
  CHECK(bytes == Bytes(40, 0));
  Wipe({});
}

TEST_CASE("random bytes have the size asked for and do not repeat") {
  CHECK(RandomBytes(0).empty());
  CHECK(RandomBytes(16).size() == 16);
  CHECK(RandomBytes(16) != RandomBytes(16));
}

}  // namespace coffer::crypto
