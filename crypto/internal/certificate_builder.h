// Certificates of the vault's own authority, put together piece by piece. What fails here is memory
// or OpenSSL itself, and aborts; what a caller gave was checked before.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "crypto/internal/x509.h"

namespace coffer::crypto::internal {

// Unix times, both inclusive.
struct Validity {
  std::int64_t not_before;
  std::int64_t not_after;
};

// The bits of RFC 5280 section 4.2.1.3.
enum class KeyUsage : int { kDigitalSignature = 0, kKeyCertSign = 5, kCrlSign = 6 };

// A version 3 certificate with a random serial number, and nothing else.
CertificateHandle NewCertificate(const Validity& validity);

void AddAuthorityConstraints(X509& certificate);  // CA:TRUE, path length 0, critical
void AddLeafConstraints(X509& certificate);       // CA:FALSE, critical
void AddKeyUsage(X509& certificate, std::initializer_list<KeyUsage> usages);  // critical
void AddClientAuthentication(X509& certificate);                              // extendedKeyUsage
// Critical, as RFC 5280 section 4.2.1.6 wants beside an empty subject.
void AddNames(X509& certificate, const GENERAL_NAMES& names);
// Precondition: the certificate's key is set.
void AddSubjectKeyIdentifier(X509& certificate);
// Precondition: the issuer has a subjectKeyIdentifier.
void AddAuthorityKeyIdentifier(X509& certificate, const X509& issuer);

// ECDSA or RSA with SHA-256.
void Sign(X509& certificate, EVP_PKEY& key);

}  // namespace coffer::crypto::internal
