#include "vault/log_key_rotation.h"

#include <unistd.h>

#include "vault/storage/data_directory.h"
#include "vault/vault.h"
#include "vault/vault_options.h"

namespace coffer::vault {

Status RotateLogKey(const VaultOptions& options, crypto::RootKeyProvider& root, LogKeyStep step) {
  {
    COFFER_ASSIGN(const auto lock, DirectoryLock::Acquire(options.directory));
    // The new key has to vouch for it: with another one in its place, the next start would refuse
    // what the old key signed.
    const std::string ledger = LedgerPath(options.directory, options.ledger_path);
    if (access(ledger.c_str(), F_OK) != 0) {
      return Fail(Code::kNotFound, "ledger_missing",
                  "there is no ledger of erasures at " + ledger +
                      "; say where the server has it, which makes it when it is first started");
    }
    COFFER_ASSIGN(const auto keyring_lock, KeyringLock::Acquire(options.directory));
    const std::string path = KeyringPath(options.directory);
    COFFER_TRY(step == LogKeyStep::kAdd ? crypto::Keyring::AddLogKey(path, root)
                                        : crypto::Keyring::RetireLogKey(path, root));
  }
  COFFER_ASSIGN(const auto vault, Vault::Open(options, root));
  return {};
}

}  // namespace coffer::vault
