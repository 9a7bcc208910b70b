// Exchanging the key that signs the log.
#pragma once

#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/vault_options.h"

namespace coffer::vault {

// A new key for the log, of a vault that no server has open. kAdd: a second key, announced in the
// log, signs beside the first from now on. kRetire, when everybody who verifies has seen the new
// one: the log says so, and the old private key is destroyed. What a crash leaves is finished when
// the vault is opened. Errors: kConflict "rotation_in_progress", "nothing_to_retire",
// "restored_copy"; "log_key_changed", with the code of Vault::Open, where the keyring has the step
// and the vault did not open behind it; those of its anchor and keyring, after which nothing is
// changed.
enum class LogKeyStep { kAdd, kRetire };

Status RotateLogKey(const VaultOptions& options, crypto::RootKeyProvider& root, LogKeyStep step);

}  // namespace coffer::vault
