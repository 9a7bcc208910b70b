// Looking at a vault without opening it.
#pragma once

#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/vault_options.h"

namespace coffer::vault {

// Whether a start would go well, as far as it can be told without a change: keyring and root key,
// databases, anchor, log, ledger, state, memory, and room to write. Beside a server that has the
// directory: whether there is one. What a start repairs or repeats is not tried, and of a vault
// that it would migrate no more than that it could. Errors: those of Vault::Open.
Result<bool> CheckDirectory(const VaultOptions& options, crypto::RootKeyProvider& root);

}  // namespace coffer::vault
