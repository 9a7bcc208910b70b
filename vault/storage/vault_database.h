// vault.db, which lies under one of the keyring's vault-db keys: the newest, but for while that is
// exchanged (vault/engine/vault_rewrite.h). vault.db.next is what an exchange that did not come to
// its end leaves besides.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "crypto/keyring.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

struct VaultDatabase {
  Database database;
  std::uint32_t key_version = 0;
};

// With whichever of the keys opens `path`, that of vault.db. Errors: those of Database::Open.
Result<VaultDatabase> OpenVaultDatabase(const std::string& path, const crypto::Keyring& keyring,
                                        const Database::Options& options);

// To read beside the engine of this process, which exchanges the key: where it is under another
// than `in_use` says, it goes on with the database as it is then. Both outlive it. Errors: as
// above.
Result<Database> ReadVaultDatabase(const std::string& path, const crypto::Keyring& keyring,
                                   const std::atomic<std::uint32_t>& in_use, int cache_kib = 2048);

std::string NextVaultDatabasePath(const std::string& path);
// vault.db.next and what belongs to it. Errors: kUnavailable "file_not_removed".
Status RemoveNextVaultDatabase(const std::string& path);

}  // namespace coffer::vault
