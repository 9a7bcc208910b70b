#include "crypto/client_key.h"

#include <openssl/err.h>

#include <catch2/catch_test_macros.hpp>

#include "crypto/internal/p256_key.h"
#include "tests/crypto/hex.h"
#include "tests/crypto/x509_builder.h"

namespace coffer::crypto {
namespace {

ClientKey New() {
  auto key = NewClientKey();
  REQUIRE(key);
  return *std::move(key);
}

KeyOfTest ReadPrivateKey(const SecretBytes& pem) {
  const auto bytes = pem.ExposeSecret();
  const std::unique_ptr<BIO, internal::FreeWith<BIO_free>> bio(
      BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  return KeyOfTest(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

// As OpenSSL writes it.
std::string Pkcs8Of(const EVP_PKEY& key) {
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, internal::FreeWith<PKCS8_PRIV_KEY_INFO_free>> info(
      EVP_PKEY2PKCS8(&key));
  return Written([&](BIO* bio) { return i2d_PKCS8_PRIV_KEY_INFO_bio(bio, info.get()); });
}

}  // namespace

TEST_CASE("OpenSSL reads a new client's key, and its request is signed by that key") {
  const ClientKey client = New();
  const auto key = ReadPrivateKey(client.private_key_pem);
  REQUIRE(key != nullptr);
  CHECK(EVP_PKEY_is_a(key.get(), "EC") == 1);
  CHECK(EVP_PKEY_get_bits(key.get()) == 256);
  const auto request = RequestFrom(client.csr_pem);
  CHECK(X509_REQ_verify(request.get(), key.get()) == 1);
  CHECK(EVP_PKEY_eq(X509_REQ_get0_pubkey(request.get()), key.get()) == 1);
  CHECK(X509_NAME_entry_count(X509_REQ_get_subject_name(request.get())) == 0);
  CHECK(X509_REQ_get_attr_count(request.get()) == 0);
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a client's PEM is what OpenSSL writes, byte for byte") {
  const ClientKey client = New();
  const auto key = ReadPrivateKey(client.private_key_pem);
  CHECK(AsText(client.private_key_pem.ExposeSecret()) == Written([&](BIO* bio) {
          return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr,
                                               nullptr);
        }));
  CHECK(client.csr_pem == PemOf(*RequestFrom(client.csr_pem)));
}

TEST_CASE("no two clients have one key") {
  const ClientKey a = New();
  const ClientKey b = New();
  CHECK_FALSE(a.private_key_pem == b.private_key_pem);
  CHECK(a.csr_pem != b.csr_pem);
}

TEST_CASE("P-256 keys are encoded as OpenSSL encodes them, and come back") {
  for (int i = 0; i < 600; ++i) {  // some with a leading zero
    const auto key = EcKey("P-256");
    const SecretBytes encoded = internal::EncodeP256Key(*key);
    REQUIRE(AsText(encoded.ExposeSecret()) == Pkcs8Of(*key));
    if (i % 20 != 0) continue;
    const auto decoded = internal::DecodeP256Key(encoded);
    REQUIRE(decoded != nullptr);
    CHECK(internal::EncodeP256Key(*decoded) == encoded);
  }
}

TEST_CASE("private keys of another kind, spelling or length are refused") {
  const auto decode = [](std::string_view der) {
    return internal::DecodeP256Key(SecretBytes::CopyOf(AsBytes(der)));
  };
  const std::string der = Pkcs8Of(*EcKey("P-256"));
  CHECK(decode(der) != nullptr);
  CHECK(decode({}) == nullptr);
  CHECK(decode(der + '\0') == nullptr);
  CHECK(decode(std::string_view(der).substr(0, der.size() - 1)) == nullptr);
  CHECK(decode(Pkcs8Of(*EcKey("P-384"))) == nullptr);
  CHECK(decode(Pkcs8Of(*EcKey("secp256k1"))) == nullptr);
  CHECK(decode(Pkcs8Of(*KeyOf("ED25519"))) == nullptr);
  for (std::size_t byte = 0; byte < der.size(); ++byte) {  // both halves no longer one key
    std::string flipped = der;
    flipped[byte] = static_cast<char>(flipped[byte] ^ 1);
    CHECK(decode(flipped) == nullptr);
  }
  std::string zero = der;
  zero.replace(36, 32, 32, '\0');
  CHECK(decode(zero) == nullptr);
  zero.replace(36, 32, 32, '\xff');
  CHECK(decode(zero) == nullptr);
  ERR_clear_error();
}

}  // namespace coffer::crypto
