// Certificates and requests as others make them, written with OpenSSL alone.
#pragma once

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "crypto/internal/x509.h"

namespace coffer::crypto {

inline void Need(bool holds) {
  if (!holds) throw std::runtime_error("OpenSSL refused what a test asked for");
}

using KeyOfTest = internal::KeyHandle;
using CertificateOfTest = internal::CertificateHandle;
using RequestOfTest = internal::RequestHandle;

inline KeyOfTest EcKey(const char* curve) {
  KeyOfTest key(EVP_EC_gen(curve));
  Need(key != nullptr);
  return key;
}

inline KeyOfTest RsaKey(std::size_t bits) {
  KeyOfTest key(EVP_RSA_gen(bits));
  Need(key != nullptr);
  return key;
}

inline KeyOfTest KeyOf(const char* kind) {
  KeyOfTest key(EVP_PKEY_Q_keygen(nullptr, nullptr, kind));
  Need(key != nullptr);
  return key;
}

// What `write` puts out, as text or as bytes.
inline std::string Written(const std::function<int(BIO*)>& write) {
  const std::unique_ptr<BIO, internal::FreeWith<BIO_free>> bio(BIO_new(BIO_s_mem()));
  Need(bio != nullptr && write(bio.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

inline std::string PemOf(X509& certificate) {
  return Written([&](BIO* bio) { return PEM_write_bio_X509(bio, &certificate); });
}
inline std::string PemOf(X509_REQ& request) {
  return Written([&](BIO* bio) { return PEM_write_bio_X509_REQ(bio, &request); });
}
inline std::string DerTextOf(X509& certificate) {
  return Written([&](BIO* bio) { return i2d_X509_bio(bio, &certificate); });
}

inline CertificateOfTest CertificateFrom(std::string_view pem) {
  const std::unique_ptr<BIO, internal::FreeWith<BIO_free>> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  CertificateOfTest certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  Need(certificate != nullptr);
  return certificate;
}

inline RequestOfTest RequestFrom(std::string_view pem) {
  const std::unique_ptr<BIO, internal::FreeWith<BIO_free>> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  RequestOfTest request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  Need(request != nullptr);
  return request;
}

inline const EVP_MD* DigestFor(const EVP_PKEY& key) {
  return EVP_PKEY_is_a(&key, "ED25519") == 1 ? nullptr : EVP_sha256();
}

inline void SetCommonName(X509_NAME* name, std::string_view text) {
  Need(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, AsBytes(text).data(),
                                  static_cast<int>(text.size()), -1, 0) == 1);
}

// A name whose bytes are put in as they are.
inline internal::GeneralNameHandle RawName(int type, std::string_view value) {
  internal::GeneralNameHandle name(GENERAL_NAME_new());
  internal::StringHandle string(
      ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  Need(name != nullptr && string != nullptr &&
       ASN1_STRING_set(string.get(), value.data(), static_cast<int>(value.size())) == 1);
  GENERAL_NAME_set0_value(name.get(), type, string.release());
  return name;
}

inline void Append(GENERAL_NAMES& names, internal::GeneralNameHandle name) {
  Need(sk_GENERAL_NAME_push(&names, name.get()) > 0);
  static_cast<void>(name.release());  // the list owns it
}

inline internal::GeneralNamesHandle NoNames() {
  return internal::GeneralNamesHandle(GENERAL_NAMES_new());
}

inline void AddExtension(X509& certificate, int kind, void* value, bool critical = false) {
  Need(X509_add1_ext_i2d(&certificate, kind, value, critical ? 1 : 0, X509V3_ADD_APPEND) == 1);
}

// An extension whose content need not be what its kind says.
inline void AddRawExtension(X509& certificate, int kind, std::string_view content) {
  const internal::StringHandle data(ASN1_OCTET_STRING_new());
  Need(ASN1_STRING_set(data.get(), content.data(), static_cast<int>(content.size())) == 1);
  const std::unique_ptr<X509_EXTENSION, internal::FreeWith<X509_EXTENSION_free>> extension(
      X509_EXTENSION_create_by_NID(nullptr, kind, 0, data.get()));
  Need(extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1);
}

// Self-signed, with whatever `fill` adds before the signature.
inline CertificateOfTest SelfSigned(EVP_PKEY& key, std::time_t not_before, std::time_t not_after,
                                    const std::function<void(X509&)>& fill = {}) {
  CertificateOfTest certificate(X509_new());
  Need(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
       ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 7) == 1 &&
       ASN1_TIME_set(X509_getm_notBefore(certificate.get()), not_before) != nullptr &&
       ASN1_TIME_set(X509_getm_notAfter(certificate.get()), not_after) != nullptr &&
       X509_set_pubkey(certificate.get(), &key) == 1);
  SetCommonName(X509_get_subject_name(certificate.get()), "cn.example");
  SetCommonName(X509_get_issuer_name(certificate.get()), "cn.example");
  if (fill) fill(*certificate);
  Need(X509_sign(certificate.get(), &key, DigestFor(key)) > 0);
  return certificate;
}

// A request for `key` that `signer` signs, with whatever `fill` adds before the signature.
inline RequestOfTest RequestFor(EVP_PKEY& key, EVP_PKEY& signer,
                                const std::function<void(X509_REQ&)>& fill = {}) {
  RequestOfTest request(X509_REQ_new());
  Need(request != nullptr && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
       X509_REQ_set_pubkey(request.get(), &key) == 1);
  if (fill) fill(*request);
  Need(X509_REQ_sign(request.get(), &signer, DigestFor(signer)) > 0);
  return request;
}

inline std::string RequestPem(EVP_PKEY& key) { return PemOf(*RequestFor(key, key)); }

}  // namespace coffer::crypto
