// Owners of OpenSSL's X.509 structures, and strict readers of them.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "crypto/bytes.h"
#include "crypto/internal/invariant.h"
#include "crypto/internal/openssl.h"

namespace coffer::crypto::internal {

using CertificateHandle = std::unique_ptr<X509, FreeWith<X509_free>>;
using RequestHandle = std::unique_ptr<X509_REQ, FreeWith<X509_REQ_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using GeneralNameHandle = std::unique_ptr<GENERAL_NAME, FreeWith<GENERAL_NAME_free>>;
using GeneralNamesHandle = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using StringHandle = std::unique_ptr<ASN1_STRING, FreeWith<ASN1_STRING_free>>;

struct FreeOpensslBytes {
  void operator()(std::uint8_t* bytes) const { OPENSSL_free(bytes); }
};
using OpensslBytes = std::unique_ptr<std::uint8_t, FreeOpensslBytes>;

// In front of everything that reads input with OpenSSL: clears this thread's error queue on the way
// out, as a TLS call on this thread would take a left-over entry for an error of its own. Also
// after a success, since a reader that tries several formats leaves entries.
class OpensslErrors {
 public:
  OpensslErrors() = default;
  OpensslErrors(const OpensslErrors&) = delete;
  OpensslErrors& operator=(const OpensslErrors&) = delete;
  ~OpensslErrors() { ERR_clear_error(); }
};

// Null unless `der` is one structure to the last byte.
CertificateHandle ParseCertificate(ByteView der);
RequestHandle ParseRequest(ByteView der);

// The DER of what `encode`, an i2d function, gives for `value`. Not for secrets: it is on the heap.
template <class T>
Bytes DerOf(int (*encode)(const T*, std::uint8_t**), const T& value) {
  const int size = encode(&value, nullptr);
  Require(size > 0, "the DER of a structure of our own");
  Bytes der(static_cast<std::size_t>(size));
  std::uint8_t* end = der.data();
  Require(encode(&value, &end) == size, "DER of the same length twice");
  return der;
}

}  // namespace coffer::crypto::internal
