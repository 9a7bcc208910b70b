#include "vault/log_key_rotation.h"

#include <unistd.h>

#include "vault/backup/repository.h"
#include "vault/backup/restored_copy.h"
#include "vault/engine/log_keys.h"
#include "vault/opening.h"
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
    COFFER_TRY(CheckNoCopy(options.directory));
    COFFER_ASSIGN(const auto keyring_lock, KeyringLock::Acquire(options.directory));
    const std::string path = KeyringPath(options.directory);
    {
      // Without it the vault would not open afterwards, and the key would be another already.
      COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
      const std::string anchor_path = AnchorPath(options.directory, options.anchor_path);
      COFFER_ASSIGN(const auto anchor, Reading(anchor_path, ReadAnchor(anchor_path)));
      COFFER_TRY(Reading(anchor_path, VerifyByAnyKey(anchor.note, keyring)));
    }
    COFFER_TRY(step == LogKeyStep::kAdd ? crypto::Keyring::AddLogKey(path, root)
                                        : crypto::Keyring::RetireLogKey(path, root));
  }
  if (auto vault = Vault::Open(options, root); !vault) {
    Error why = std::move(vault).error();
    return Fail(why.code, "log_key_changed",
                std::string(step == LogKeyStep::kAdd ? "keyring.json has the new key"
                                                     : "the old key is retired in keyring.json") +
                    ", and the log does not say so yet: the vault does not open: " + InWords(why));
  }
  return {};
}

}  // namespace coffer::vault
