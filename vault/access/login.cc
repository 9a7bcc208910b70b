#include "vault/access/login.h"

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/totp.h"
#include "vault/access/typed_code.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kHashesAtOnce = 2;
constexpr std::size_t kHashesWaiting = 64;

Bytes TotpContext(const crypto::Keyring& keyring, const PrincipalId& user) {
  static constexpr std::string_view kLabel = "coffer-totp-v1";
  Bytes context(kLabel.begin(), kLabel.end());
  context.insert(context.end(), keyring.vault_id().begin(), keyring.vault_id().end());
  context.insert(context.end(), user.value.begin(), user.value.end());
  return context;
}

std::string RandomBase32() {
  Id128 random;
  crypto::FillRandom(random);
  return crypto::Base32Encode(random);
}

}  // namespace

std::string NewEnrolmentCode() { return "cfe_" + RandomBase32(); }

std::string NewRecoveryCode() {
  const std::string random = RandomBase32().substr(10);  // 16 characters of 5 bits
  return random.substr(0, 4) + "-" + random.substr(4, 4) + "-" + random.substr(8, 4) + "-" +
         random.substr(12, 4);
}

crypto::Hash DigestOfCode(const crypto::Keyring& keyring, const PrincipalId& user,
                          std::string_view code) {
  return crypto::KeyedHash(keyring.token_hash_key(),
                           {crypto::AsBytes("one-time code"), user.bytes(), crypto::AsBytes(code)});
}

Bytes SealTotp(const crypto::Keyring& keyring, const PrincipalId& user,
               const crypto::SecretBytes& secret) {
  return crypto::Seal(keyring.note_key().ExposeSecret(), 0, TotpContext(keyring, user),
                      secret.ExposeSecret());
}

Result<crypto::SecretBytes> OpenTotp(const crypto::Keyring& keyring, const PrincipalId& user,
                                     ByteView sealed) {
  COFFER_ASSIGN(Bytes plain, crypto::Open(keyring.note_key().ExposeSecret(),
                                          TotpContext(keyring, user), sealed));
  auto secret = crypto::SecretBytes::CopyOf(plain);
  crypto::Wipe(plain);
  return secret;
}

Result<bool> TakeSecondFactor(const crypto::Keyring& keyring, const PrincipalId& user,
                              UserCredentials& credentials, std::string_view typed, Timestamp now) {
  const std::string code = SecondFactorCodeOf(typed);
  if (credentials.totp && code.size() == 6) {
    COFFER_ASSIGN(const auto secret, OpenTotp(keyring, user, *credentials.totp));
    const auto step = crypto::MatchTotp(secret, code, now.ms / 1000, credentials.totp_step);
    if (step) credentials.totp_step = *step;
    return step.has_value();
  }
  const crypto::Hash digest = DigestOfCode(keyring, user, code);
  const auto found = std::ranges::find_if(credentials.recovery, [&](const crypto::Hash& left) {
    return crypto::ConstantTimeEqual(left, digest);
  });
  if (found == credentials.recovery.end()) return false;
  credentials.recovery.erase(found);
  return true;
}

PasswordChecks::PasswordChecks(const crypto::PasswordCost& cost)
    : cost_(cost), gate_(kHashesAtOnce, kHashesWaiting) {}

Result<bool> PasswordChecks::Verify(const std::string& hash, const crypto::SecretBytes& password) {
  COFFER_ASSIGN(const auto ticket, gate_.Enter());
  COFFER_ASSIGN(const std::string dummy, Dummy());
  return crypto::VerifyPassword(hash.empty() ? dummy : hash, password) && !hash.empty();
}

Result<std::string> PasswordChecks::Dummy() {
  const std::lock_guard lock(dummy_mutex_);
  if (dummy_.empty()) {
    const std::string unknown = RandomBase32();
    COFFER_ASSIGN(
        dummy_, crypto::HashPassword(crypto::SecretBytes::CopyOf(crypto::AsBytes(unknown)), cost_));
  }
  return dummy_;
}

Result<std::string> PasswordChecks::Hash(const crypto::SecretBytes& password) {
  COFFER_ASSIGN(const auto ticket, gate_.Enter());
  return crypto::HashPassword(password, cost_);
}

}  // namespace coffer::vault
