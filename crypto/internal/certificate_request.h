// What the vault takes from a request for a certificate (PKCS#10, RFC 2986): its key.
#pragma once

#include <string_view>

#include "crypto/internal/x509.h"
#include "crypto/result.h"

namespace coffer::crypto::internal {

// The public key of a request that the key itself signed, of a kind that is taken. Errors: those of
// CertificateAuthority::Issue() that begin with "csr_".
Result<KeyHandle> ReadRequestKey(std::string_view csr_pem);

}  // namespace coffer::crypto::internal
