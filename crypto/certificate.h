// What identifies the holder of an X.509 certificate (RFC 5280). Whether the certificate is to be
// trusted is decided elsewhere, by the TLS layer: nothing here verifies a signature.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::crypto {

inline constexpr std::size_t kMaxCertificateBytes = 64 * 1024;  // DER; four thirds of it as PEM

struct CertificateFacts {
  // SHA-256 of the DER SubjectPublicKeyInfo (RFC 7469 section 2.4): stays when a certificate is
  // renewed for the same key.
  Hash spki{};
  // The subjectAltNames in their order: "dns:crm.example", "email:Jane@crm.example",
  // "ip:192.0.2.1", "ip:2001:db8::1", "uri:spiffe://crm.example/backend". Domains of dns and email
  // are in lower case; all else is as the certificate has it. Left out are other kinds of names,
  // empty ones, and those with a byte that is not visible ASCII (0x21 to 0x7e), which a NUL is not.
  // The common name is no name.
  std::vector<std::string> names;
  std::int64_t not_before = 0;  // Unix time, seconds; valid in this second
  std::int64_t not_after = 0;   // likewise
};

// `der` is one certificate to the last byte. Errors: kUnprocessable "certificate_malformed", also
// for a second subjectAltName extension, and beyond kMaxCertificateBytes.
Result<CertificateFacts> ReadCertificate(ByteView der);

// `pem` is one "CERTIFICATE" of RFC 7468 with white space around it at most: a chain, a private key
// beside it and the text that `openssl x509 -text` prints are refused. Errors as above.
Result<CertificateFacts> ReadCertificatePem(std::string_view pem);

}  // namespace coffer::crypto
