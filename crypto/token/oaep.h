// RSA-OAEP (RFC 8017) with SHA-256, to a public key: not every token does that half.
#pragma once

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::crypto::token {

// `modulus` and `exponent` are big-endian, as PKCS#11 has them. Errors: kUnprocessable
// "token_key_unsuitable" for what is no public key.
Result<Bytes> EncryptOaep(ByteView modulus, ByteView exponent, ByteView plaintext);

}  // namespace coffer::crypto::token
