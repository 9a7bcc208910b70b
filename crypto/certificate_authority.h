// The vault's own certificate authority, for certificates with which clients authenticate over TLS
// (RFC 5280). It has one level, signs with ECDSA on P-256 and SHA-256, and keeps no list: whether a
// certificate still counts is decided by what the vault knows of its key (certificate.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

// Seconds. Every certificate begins five minutes before `now_s`, for clocks that are behind.
inline constexpr std::int64_t kMinCertificateLifetime = 60;
inline constexpr std::int64_t kMaxCertificateLifetime = std::int64_t{398} * 24 * 60 * 60;
inline constexpr std::int64_t kMaxAuthorityLifetime = std::int64_t{25} * 366 * 24 * 60 * 60;
inline constexpr std::size_t kMaxCertificateNames = 64;

// May be used by several threads at once. The private key is in locked memory, and in OpenSSL's for
// the length of one signature.
class CertificateAuthority {
 public:
  // A new P-256 key and its self-signed certificate, subject "O=`organisation`, CN=Coffer client
  // CA": basicConstraints CA:TRUE with path length 0, keyUsage keyCertSign and cRLSign, both
  // critical. Errors: kUnprocessable "certificate_organisation_invalid" unless 1 to 64 characters
  // of UTF-8 without ASCII control characters; kUnprocessable "certificate_lifetime_invalid" unless
  // kMinCertificateLifetime to kMaxAuthorityLifetime, from a time after 1970 to one before the year
  // 10000; kInternal "crypto_unavailable" where this OpenSSL offers no P-256.
  static Result<CertificateAuthority> Create(std::string_view organisation, std::int64_t now_s,
                                             std::int64_t lifetime_s);

  // From what certificate_pem() and ExportPrivateKey() gave. Errors: kCorrupted
  // "certificate_authority_malformed" when the certificate is not one of Create(), its signature
  // included, or the key is none; kCorrupted "certificate_authority_key_mismatch" when the key is
  // not that of the certificate.
  static Result<CertificateAuthority> Open(std::string_view certificate_pem,
                                           const SecretBytes& private_key);

  CertificateAuthority(CertificateAuthority&&) noexcept;
  CertificateAuthority& operator=(CertificateAuthority&&) noexcept;
  ~CertificateAuthority();

  const std::string& certificate_pem() const;
  SecretBytes ExportPrivateKey() const;  // PKCS#8 DER, 138 bytes, not encrypted

  // A client's certificate as PEM for the key that signed `csr_pem`. Everything else in the request
  // is ignored: what a certificate says is the vault's decision. Empty subject, subjectAltNames
  // `names` in their order, keyUsage digitalSignature, CA:FALSE (all critical), extendedKeyUsage
  // clientAuth. It ends `lifetime_s` from `now_s`, or with the authority if that is sooner.
  //
  // `names` are 1 to kMaxCertificateNames of "dns:HOST" (letters, digits, hyphens; no wildcard, no
  // final dot), "email:LOCAL@HOST", "ip:ADDRESS" (IPv4 or IPv6) and "uri:URI" (absolute, RFC 3986,
  // up to 2048 bytes), in visible ASCII. Hosts are written in lower case.
  //
  // Errors, all kUnprocessable but the last:
  //   "certificate_name_invalid"
  //   "certificate_lifetime_invalid"  not kMinCertificateLifetime to kMaxCertificateLifetime
  //   "csr_malformed"                 not one "CERTIFICATE REQUEST" (RFC 7468), or beyond 64 KiB
  //   "csr_key_refused"               none of P-256, P-384 (named, not by parameters), Ed25519 and
  //                                   RSA of 2048 to 4096 bits, or invalid for its kind
  //   "csr_signature_invalid"         not signed by the key that it names
  //   kConflict "certificate_authority_expired"  less than kMinCertificateLifetime is left, or
  //                                   `now_s` is before the authority's beginning
  Result<std::string> Issue(std::string_view csr_pem, std::span<const std::string> names,
                            std::int64_t now_s, std::int64_t lifetime_s) const;

 private:
  struct State;
  explicit CertificateAuthority(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace coffer::crypto
