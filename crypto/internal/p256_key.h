// Private keys of NIST P-256 as PKCS#8, in the one spelling that OpenSSL writes (RFC 5958, RFC 5915
// with its public key): 138 bytes of which only the two halves of the key vary. OpenSSL's own
// reader leaves a copy of the private half in memory that is freed and not wiped (der2key_decode).
#pragma once

#include "crypto/internal/x509.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto::internal {

// Null where this OpenSSL offers no P-256.
KeyHandle GenerateP256Key();

// Precondition: a key of GenerateP256Key() or DecodeP256Key().
SecretBytes EncodeP256Key(const EVP_PKEY& key);

// Null for any other spelling, and for a public half that is not that of the private one.
KeyHandle DecodeP256Key(const SecretBytes& pkcs8);

}  // namespace coffer::crypto::internal
