#include "crypto/internal/certificate_builder.h"

#include <openssl/bn.h>

#include <array>

#include "crypto/hash.h"
#include "crypto/random.h"

namespace coffer::crypto::internal {
namespace {

using BigNumber = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using BasicConstraints = std::unique_ptr<BASIC_CONSTRAINTS, FreeWith<BASIC_CONSTRAINTS_free>>;
using ExtendedKeyUsage = std::unique_ptr<EXTENDED_KEY_USAGE, FreeWith<EXTENDED_KEY_USAGE_free>>;
using AuthorityKeyId = std::unique_ptr<AUTHORITY_KEYID, FreeWith<AUTHORITY_KEYID_free>>;

constexpr std::size_t kSerialBytes = 16;
constexpr std::size_t kKeyIdentifierBytes = 20;

template <class T>
void AddExtension(X509& certificate, int kind, T* value, bool critical) {
  Require(X509_add1_ext_i2d(&certificate, kind, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1,
          "an extension, once");
}

// A 1 and 126 random bits: positive, never the same, of one length (RFC 5280 section 4.1.2.2).
void SetSerial(X509& certificate) {
  std::array<std::uint8_t, kSerialBytes> serial;
  FillRandom(serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3f) | 0x40);
  const BigNumber number(BN_bin2bn(serial.data(), kSerialBytes, nullptr));
  Require(number != nullptr &&
              BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr,
          "a serial number");
}

}  // namespace

CertificateHandle NewCertificate(const Validity& validity) {
  CertificateHandle certificate(X509_new());
  Require(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(certificate.get()), validity.not_before) &&
              ASN1_TIME_set(X509_getm_notAfter(certificate.get()), validity.not_after),
          "a certificate and its validity");
  SetSerial(*certificate);
  return certificate;
}

void AddAuthorityConstraints(X509& certificate) {
  const BasicConstraints constraints(BASIC_CONSTRAINTS_new());
  Require(constraints != nullptr, "memory for an extension");
  constraints->ca = 0xff;  // ASN.1's TRUE
  constraints->pathlen = ASN1_INTEGER_new();
  Require(constraints->pathlen != nullptr && ASN1_INTEGER_set(constraints->pathlen, 0) == 1,
          "memory for an extension");
  AddExtension(certificate, NID_basic_constraints, constraints.get(), /*critical=*/true);
}

void AddLeafConstraints(X509& certificate) {
  const BasicConstraints constraints(BASIC_CONSTRAINTS_new());
  Require(constraints != nullptr, "memory for an extension");
  AddExtension(certificate, NID_basic_constraints, constraints.get(), /*critical=*/true);
}

void AddKeyUsage(X509& certificate, std::initializer_list<KeyUsage> usages) {
  const StringHandle bits(ASN1_BIT_STRING_new());
  for (const KeyUsage usage : usages) {
    Require(bits != nullptr && ASN1_BIT_STRING_set_bit(bits.get(), static_cast<int>(usage), 1) == 1,
            "memory for an extension");
  }
  AddExtension(certificate, NID_key_usage, bits.get(), /*critical=*/true);
}

void AddClientAuthentication(X509& certificate) {
  const ExtendedKeyUsage usages(EXTENDED_KEY_USAGE_new());
  // OpenSSL's table owns the object: freeing the list leaves it.
  Require(usages != nullptr && sk_ASN1_OBJECT_push(usages.get(), OBJ_nid2obj(NID_client_auth)) > 0,
          "memory for an extension");
  AddExtension(certificate, NID_ext_key_usage, usages.get(), /*critical=*/false);
}

void AddNames(X509& certificate, const GENERAL_NAMES& names) {
  // OpenSSL's parameter is not const, and is only read.
  AddExtension(certificate, NID_subject_alt_name, const_cast<GENERAL_NAMES*>(&names),
               /*critical=*/true);
}

// RFC 7093 section 2, method 1: the first 160 bits of the SHA-256 of the public key's bits.
void AddSubjectKeyIdentifier(X509& certificate) {
  const ASN1_BIT_STRING* const bits = X509_get0_pubkey_bitstr(&certificate);
  Require(bits != nullptr, "a certificate with its key");
  const Hash hash = Sha256(
      ByteView(ASN1_STRING_get0_data(bits), static_cast<std::size_t>(ASN1_STRING_length(bits))));
  const StringHandle identifier(ASN1_OCTET_STRING_new());
  Require(identifier != nullptr &&
              ASN1_STRING_set(identifier.get(), hash.data(), kKeyIdentifierBytes) == 1,
          "memory for an extension");
  AddExtension(certificate, NID_subject_key_identifier, identifier.get(), /*critical=*/false);
}

void AddAuthorityKeyIdentifier(X509& certificate, const X509& issuer) {
  // Reading fills a cache inside the certificate, under its own lock.
  const ASN1_OCTET_STRING* const of_issuer = X509_get0_subject_key_id(const_cast<X509*>(&issuer));
  Require(of_issuer != nullptr, "an issuer with a subjectKeyIdentifier");
  const AuthorityKeyId identifier(AUTHORITY_KEYID_new());
  Require(identifier != nullptr, "memory for an extension");
  identifier->keyid = ASN1_OCTET_STRING_dup(of_issuer);
  Require(identifier->keyid != nullptr, "memory for an extension");
  AddExtension(certificate, NID_authority_key_identifier, identifier.get(), /*critical=*/false);
}

void Sign(X509& certificate, EVP_PKEY& key) {
  Require(X509_sign(&certificate, &key, EVP_sha256()) > 0, "a certificate's signature");
}

}  // namespace coffer::crypto::internal
