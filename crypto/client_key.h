// A client's own key and its request for a certificate (PKCS#10, RFC 2986). Made where the key
// stays: only the request is sent.
#pragma once

#include <string>

#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

struct ClientKey {
  SecretBytes private_key_pem;  // PKCS#8 "PRIVATE KEY", NIST P-256, not encrypted
  // "CERTIFICATE REQUEST" without a subject: CertificateAuthority::Issue() takes only the key.
  std::string csr_pem;
};

// Errors: kInternal "crypto_unavailable" where this OpenSSL offers no P-256.
Result<ClientKey> NewClientKey();

}  // namespace coffer::crypto
