#include "vault/backup/snapshot.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "crypto/atomic_file.h"
#include "vault/backup/repository.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/vault_database.h"

namespace coffer::vault {

Result<VaultSnapshot> TakeSnapshot(const Operations& operations, const VaultFiles& files,
                                   ChangedPages& changed) {
  constexpr std::size_t kLimit = Repository::kMaxObjectBytes;
  const crypto::Keyring& keyring = operations.keyring();
  const std::string keys_path = KeysDatabasePath(files.directory);
  VaultSnapshot snapshot;
  const auto take = [&]() -> Status {
    COFFER_ASSIGN(VaultDatabase reader, OpenVaultDatabase(VaultDatabasePath(files.directory),
                                                          keyring, {.read_only = true}));
    COFFER_ASSIGN(auto keys, OpenKeysDatabase(keys_path, keyring, {.read_only = true}));
    COFFER_ASSIGN(snapshot.keys, PageImage::Take(std::move(keys)));
    COFFER_ASSIGN(snapshot.vault, PageImage::Take(std::move(reader.database)));
    COFFER_ASSIGN(snapshot.keys_key, crypto::ReadFile(KeysDatabaseKeyPath(keys_path), kLimit));
    COFFER_ASSIGN(snapshot.keyring, crypto::ReadFile(KeyringPath(files.directory), kLimit));
    COFFER_ASSIGN(snapshot.anchor, crypto::ReadFile(files.anchor, kLimit));
    std::error_code error;
    snapshot.ledger_bytes = std::filesystem::file_size(files.ledger, error);
    if (error) {
      return Fail(Code::kUnavailable, "file_not_read", files.ledger + ": " + error.message());
    }
    // A key is in keyring.json before it signs, and begins to between two operations.
    snapshot.signer = keyring.log_signing_key();
    snapshot.log_size = operations.engine().Statistics().log_size;
    changed = operations.engine().TakeChangedPages();
    return {};
  };
  // Nobody commits or exchanges keys.db while this runs. What it fails at is no failure of the
  // store, and of nobody else's operation.
  Status taken;
  COFFER_TRY(operations.Look([&](Transaction&) -> Status {
    taken = take();
    return {};
  }));
  COFFER_TRY(std::move(taken));
  return snapshot;
}

}  // namespace coffer::vault
