// What CertificateAuthority::Issue() takes for a request, and what it refuses.
#include <openssl/core_names.h>
#include <openssl/err.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/crypto/authority_fixture.h"

namespace coffer::crypto {
namespace {

// `modulus` in the machine's order.
KeyOfTest RsaPublicKey(Bytes modulus, unsigned long exponent) {
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus.data(), modulus.size()),
      OSSL_PARAM_construct_ulong(OSSL_PKEY_PARAM_RSA_E, &exponent), OSSL_PARAM_construct_end()};
  const internal::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  Need(EVP_PKEY_fromdata_init(context.get()) == 1 &&
       EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) == 1);
  return KeyOfTest(made);
}

}  // namespace

TEST_CASE("each kind of key that is taken gets a leaf for that key") {
  const auto check = [](EVP_PKEY& key) {
    const auto leaf = Leaf(RequestPem(key));
    CHECK(EVP_PKEY_eq(X509_get0_pubkey(leaf.get()), &key) == 1);
    const auto root = CertificateFrom(Authority().certificate_pem());
    CHECK(X509_verify(leaf.get(), X509_get0_pubkey(root.get())) == 1);
  };
  check(*EcKey("P-256"));
  check(*EcKey("P-384"));
  check(*RsaKey(2048));
  check(*RsaKey(3072));
  check(*RsaKey(4096));
  check(*KeyOf("ED25519"));
}

TEST_CASE("keys that are weak, or of a kind not taken, are refused") {
  const auto refused = [](const std::string& csr) { CheckRefused(Issue(csr), "csr_key_refused"); };
  refused(RequestPem(*RsaKey(1024)));
  refused(RequestPem(*RsaKey(2047)));
  refused(RequestPem(*EcKey("P-521")));
  refused(RequestPem(*EcKey("P-224")));
  refused(RequestPem(*EcKey("secp256k1")));
  refused(PemOf(*RequestFor(*KeyOf("X25519"), *EcKey("P-256"))));
  refused(PemOf(*RequestFor(*KeyOf("ED448"), *EcKey("P-256"))));
}

TEST_CASE("a curve that is given by its parameters is refused, also when it is P-256") {
  const auto key = EcKey("P-256");
  Need(EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_ENCODING,
                                      OSSL_PKEY_EC_ENCODING_EXPLICIT) == 1);
  CheckRefused(Issue(RequestPem(*key)), "csr_key_refused");
}

TEST_CASE("an RSA key that would take long to check is refused unchecked") {
  Bytes modulus(4097 / 8 + 1, 0xff);
  modulus.back() = 1;  // in the machine's order, as 4097 bits
  CheckRefused(Issue(PemOf(*RequestFor(*RsaPublicKey(modulus, 65537), *EcKey("P-256")))),
               "csr_key_refused");
}

// With an exponent of 1 a signature is the padded digest itself, which anybody can write.
TEST_CASE("an RSA key that verifies whatever anybody signs is refused") {
  const auto honest = RsaKey(2048);
  BIGNUM* number = nullptr;
  Need(EVP_PKEY_get_bn_param(honest.get(), OSSL_PKEY_PARAM_RSA_N, &number) == 1);
  Bytes modulus(256);
  Need(BN_bn2nativepad(number, modulus.data(), 256) == 256);
  BN_free(number);
  CheckRefused(Issue(PemOf(*RequestFor(*RsaPublicKey(modulus, 1), *honest))), "csr_key_refused");
  // The same key, but for its exponent, is only not the one that signed.
  CheckRefused(Issue(PemOf(*RequestFor(*RsaPublicKey(modulus, 3), *honest))),
               "csr_signature_invalid");
}

TEST_CASE("a request that another key signed, or that was altered, is refused") {
  const auto key = EcKey("P-256");
  CheckRefused(Issue(PemOf(*RequestFor(*key, *EcKey("P-256")))), "csr_signature_invalid");
  CheckRefused(Issue(PemOf(*RequestFor(*key, *RsaKey(2048)))), "csr_signature_invalid");

  std::string der = Written([&](BIO* bio) {
    const auto request = RequestFor(
        *key, *key, [](X509_REQ& r) { SetCommonName(X509_REQ_get_subject_name(&r), "honest"); });
    return i2d_X509_REQ_bio(bio, request.get());
  });
  const auto pem_of = [](const std::string& text) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
    const RequestOfTest request(d2i_X509_REQ(nullptr, &at, static_cast<long>(text.size())));
    return request == nullptr ? std::string() : PemOf(*request);
  };
  CHECK(Issue(pem_of(der)));
  const std::size_t name = der.find("honest");
  REQUIRE(name != std::string::npos);
  CheckRefused(Issue(pem_of(std::string(der).replace(name, 6, "forged"))), "csr_signature_invalid");
  for (std::size_t byte = 0; byte < der.size(); ++byte) {
    std::string flipped = der;
    flipped[byte] = static_cast<char>(flipped[byte] ^ 1);
    const auto result = Issue(pem_of(flipped));
    INFO(byte);
    REQUIRE_FALSE(result);
    CHECK(result.error().reason.starts_with("csr_"));
    ERR_clear_error();
  }
}

TEST_CASE("what is not one request is refused") {
  for (const std::string& text :
       {std::string(), std::string("-----BEGIN CERTIFICATE REQUEST-----"), Csr() + Csr(),
        Csr() + "x", "x" + Csr(), Authority().certificate_pem(), Csr().substr(0, Csr().size() / 2),
        std::string(1'000'000, 'A')}) {
    CheckRefused(Issue(text), "csr_malformed");
  }
}

}  // namespace coffer::crypto
