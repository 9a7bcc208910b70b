// What keyring.json keeps of a root key whose home is a PKCS#11 token. The token's key wraps one
// secret of 32 random bytes, the root secret, and that wraps the keys: so the token is asked once a
// start, and a recovery passphrase can wrap the same secret beside it.
#pragma once

#include <optional>
#include <string>

#include "crypto/bytes.h"
#include "crypto/kdf.h"

namespace coffer::crypto {

// Bound to the ciphertext as additional data (AES-GCM), or in front of the secret (RSA).
inline constexpr std::string_view kTokenContext = "coffer-token-root-v1";
inline constexpr std::string_view kRecoveryContext = "coffer-recovery-root-v1";
inline constexpr std::size_t kRootSecretBytes = 32;

// CKM_AES_GCM: nonce (12) ‖ ciphertext ‖ tag (16). CKM_RSA_PKCS_OAEP with SHA-256 and MGF1 of it.
inline constexpr std::string_view kTokenAesGcm = "aes-256-gcm";
inline constexpr std::string_view kTokenRsaOaep = "rsa-oaep-sha256";

struct RecoveryWrap {
  Argon2idParameters passphrase;
  Bytes wrapped;  // envelope of aead.h, under a key derived from the passphrase
};

struct TokenRoot {
  std::string mechanism;
  std::string key_label;
  Bytes key_id;  // CKA_ID; may be empty
  // Where it was when the secret was wrapped: for people, and never compared, as a token that was
  // restored from its backup is another one.
  std::string token_label, token_serial;
  Bytes wrapped;
  std::optional<RecoveryWrap> recovery;
};

}  // namespace coffer::crypto
