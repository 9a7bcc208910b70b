// vault.db, which lies under one of the keyring's vault-db keys: the newest, but for while that is
// exchanged (vault/engine/vault_rewrite.h). vault.db.next is what an exchange that did not come to
// its end leaves besides.
#pragma once

#include <atomic>
#include <cstdint>
#include <shared_mutex>
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

// What the engine of a process, which exchanges the key, tells those who read beside it.
struct VaultKeyInUse {
  std::atomic<std::uint32_t> version{0};
  // Held while vault.db has no WAL, and another file takes its name: who opened it in between would
  // share what SQLite keeps beside it with the next one.
  std::shared_mutex exchanging;
};

// To read beside that engine: where vault.db is under another version than this connection, it goes
// on with the database as it is then. Both outlive it. Errors: as above.
Result<Database> ReadVaultDatabase(const std::string& path, const crypto::Keyring& keyring,
                                   VaultKeyInUse& in_use, int cache_kib = 2048);

std::string NextVaultDatabasePath(const std::string& path);
// vault.db.next and what belongs to it. Errors: kUnavailable "file_not_removed".
Status RemoveNextVaultDatabase(const std::string& path);

}  // namespace coffer::vault
