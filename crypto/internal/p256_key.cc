#include "crypto/internal/p256_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "crypto/internal/invariant.h"

namespace coffer::crypto::internal {
namespace {

constexpr std::size_t kScalarBytes = 32;
constexpr std::size_t kPointBytes = 65;  // 4, x, y

// PrivateKeyInfo { 0, { id-ecPublicKey, prime256v1 }, ECPrivateKey { 1, the scalar …
constexpr std::array<std::uint8_t, 36> kBeforeScalar{
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20};
// … [1] BIT STRING of the point } }
constexpr std::array<std::uint8_t, 5> kBeforePoint{0xa1, 0x44, 0x03, 0x42, 0x00};

constexpr std::size_t kScalarAt = kBeforeScalar.size();
constexpr std::size_t kBeforePointAt = kScalarAt + kScalarBytes;
constexpr std::size_t kPointAt = kBeforePointAt + kBeforePoint.size();
constexpr std::size_t kPkcs8Bytes = kPointAt + kPointBytes;
static_assert(kPkcs8Bytes == 138);

// PKCS#8 has the scalar's most significant byte first, OSSL_PARAM the machine's order.
void ToMachineOrder(std::span<std::uint8_t> scalar) {
  if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(scalar);
}

bool IsConsistent(EVP_PKEY* key) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context != nullptr && EVP_PKEY_check(context.get()) == 1;
}

}  // namespace

KeyHandle GenerateP256Key() { return KeyHandle(EVP_EC_gen("P-256")); }

SecretBytes EncodeP256Key(const EVP_PKEY& key) {
  SecretBytes pkcs8(kPkcs8Bytes);
  const auto out = pkcs8.ExposeSecretForWriting();
  const auto scalar = out.subspan(kScalarAt, kScalarBytes);
  std::array params{OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, scalar.data(), scalar.size()),
                    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                                      out.data() + kPointAt, kPointBytes),
                    OSSL_PARAM_construct_end()};
  Require(EVP_PKEY_get_params(&key, params.data()) == 1 && params[0].return_size == kScalarBytes &&
              params[1].return_size == kPointBytes,
          "both halves of a P-256 key");
  ToMachineOrder(scalar);  // its own inverse
  std::ranges::copy(kBeforeScalar, out.begin());
  std::ranges::copy(kBeforePoint, out.subspan(kBeforePointAt).begin());
  return pkcs8;
}

KeyHandle DecodeP256Key(const SecretBytes& pkcs8) {
  const ByteView in = pkcs8.ExposeSecret();
  if (in.size() != kPkcs8Bytes || !std::ranges::equal(in.first(kScalarAt), kBeforeScalar) ||
      !std::ranges::equal(in.subspan(kBeforePointAt, kBeforePoint.size()), kBeforePoint)) {
    return nullptr;
  }
  SecretBytes scalar = SecretBytes::CopyOf(in.subspan(kScalarAt, kScalarBytes));
  ToMachineOrder(scalar.ExposeSecretForWriting());
  Bytes point(in.begin() + kPointAt, in.end());
  std::string group = "P-256";
  std::array params{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, scalar.ExposeSecretForWriting().data(),
                              scalar.size()),
      OSSL_PARAM_construct_end()};
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  Require(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1, "EC keys from OpenSSL");
  EVP_PKEY* made = nullptr;
  const int result = EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.data());
  KeyHandle key(made);
  if (result != 1 || !IsConsistent(key.get())) return nullptr;
  return key;
}

}  // namespace coffer::crypto::internal
