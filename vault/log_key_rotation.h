// Exchanging the key that signs the log, by whoever has the root key; a server may have the vault
// meanwhile, and does its part by itself (log_key_exchange.h).
#pragma once

#include <chrono>

#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/vault_options.h"

namespace coffer::vault {

// kAdd: a second key, announced in the log, signs beside the first from now on. kRetire, when
// everybody who verifies has seen the new one: the log says so, and the old private key is
// destroyed.
enum class LogKeyStep { kAdd, kRetire };

struct LogKeyRotated {
  bool begun = true;      // of kAdd; false: there were two keys already, and the exchange goes on
  bool served = false;    // a server runs, which does its part
  bool taken_up = false;  // and has done it, where one runs
};

// Without a server the vault is opened for it, and what a crash leaves is finished when it is
// opened again. With one, `options` but for the directory are the server's own, and it is waited
// for up to `patience`: kRetire is not done before it has said that the old key is retired. Errors:
// kConflict "rotation_in_progress", "nothing_to_retire", "restored_copy", "keyring_in_use";
// "rotation_unfinished": the server has not done its part yet, and the same is to be tried again;
// "log_key_changed", with the code of what failed, where the keyring has the step and not all that
// follows from it was done; those of its anchor and keyring, after which nothing is changed.
Result<LogKeyRotated> RotateLogKey(const VaultOptions& options, crypto::RootKeyProvider& root,
                                   LogKeyStep step, std::chrono::milliseconds patience = {});

}  // namespace coffer::vault
