// What people show to be let in, and how it is kept.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keyring.h"
#include "crypto/password_hash.h"
#include "vault/access/login_throttle.h"
#include "vault/access/principal_store.h"
#include "vault/base/concurrency_gate.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// One-time codes: "cfe_" and 128 random bits, four groups of four characters and 80 bits.
std::string NewEnrolmentCode();
std::string NewRecoveryCode();
inline constexpr std::size_t kRecoveryCodes = 10;
crypto::Hash DigestOfCode(const crypto::Keyring& keyring, const PrincipalId& user,
                          std::string_view code);

Bytes SealTotp(const crypto::Keyring& keyring, const PrincipalId& user,
               const crypto::SecretBytes& secret);
Result<crypto::SecretBytes> OpenTotp(const crypto::Keyring& keyring, const PrincipalId& user,
                                     ByteView sealed);

// Takes `code` out of `credentials` if it is a code of the authenticator app that was not used yet,
// or one of the recovery codes left.
Result<bool> TakeSecondFactor(const crypto::Keyring& keyring, const PrincipalId& user,
                              UserCredentials& credentials, std::string_view code, Timestamp now);

// Argon2id for logins: a few at a time, and as long for an account that does not exist.
class PasswordChecks {
 public:
  explicit PasswordChecks(const crypto::PasswordCost& cost);

  // An empty hash is never right, and takes as long as one that is there. Errors: kExhausted
  // "logins_busy"; kUnavailable "memory_exhausted".
  Result<bool> Verify(const std::string& hash, const crypto::SecretBytes& password);
  Result<std::string> Hash(const crypto::SecretBytes& password);
  // The hash, of a text that nobody knows, that is verified against where there is none.
  Result<std::string> Dummy();

 private:
  const crypto::PasswordCost cost_;
  ConcurrencyGate gate_;
  std::mutex dummy_mutex_;
  std::string dummy_;  // empty until it is needed
};

}  // namespace coffer::vault
