// Making a vault.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "audit/text/clock.h"
#include "crypto/password_hash.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/access/token.h"

namespace coffer::vault {

struct FirstTokens;

// What `coffer init` decides. Makes the directory's files; refuses one that holds a vault.
struct InitOptions {
  std::string directory;
  std::string anchor_path;
  std::string log_origin;
  crypto::Argon2idParameters passphrase;  // for the passphrase provider
  const audit::Clock* clock = nullptr;
  bool two_person = true;  // false, for ever: one person decides alone
  // Gets the tokens when all but the vault's name is durable; while they have reached nobody, there
  // is no vault. What it returns instead of success is what InitializeVault returns.
  std::function<Status(FirstTokens&)> hand_over = {};
};

// The tokens of the first people. With `two_person` there are two from the first minute on.
struct FirstTokens {
  NewToken administrator;
  std::optional<NewToken> security_officer;
};

// Errors: kConflict "vault_exists", "vault_in_use"; kPermissionDenied "owners_differ",
// "account_not_taken"; kUnavailable "directory_not_writable"; those of Keyring and of `hand_over`.
// No vault is left then.
Result<FirstTokens> InitializeVault(const InitOptions& options, crypto::RootKeyProvider& root);

}  // namespace coffer::vault
