// keys.db and the key it has, whatever an interrupted rewrite (key_store_rewrite.h) left:
//
//   keys.db.key has    keys.db opens with    then the rewrite
//   one key            that                  is none, or had ended
//   two                the first             had not come to the rename: undone
//   two                the second            had: the first key is destroyed
//
// keys.db.next, with what belongs to it, is what an undone rewrite leaves besides.
#pragma once

#include <string>

#include "crypto/keyring.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

inline constexpr int kKeysCacheKib = 16 * 1024;  // of the engine's connection

// `path` is that of keys.db.
std::string KeysDatabaseKeyPath(const std::string& path);
std::string NextKeysDatabasePath(const std::string& path);

// With whichever of its keys opens it; changes neither file. Errors: those of Database::Open and
// crypto::ReadKeysDatabaseKeys.
Result<Database> OpenKeysDatabase(const std::string& path, const crypto::Keyring& keyring,
                                  const Database::Options& options);

// Undoes or finishes what was interrupted; fine when nothing was. Where no key opens keys.db,
// nothing is changed. Under the directory's lock, with keys.db not open. Errors: those of opening
// and of crypto/keys_database_key.h.
Status SettleKeysDatabase(const std::string& path, const crypto::Keyring& keyring);

// keys.db.next and what belongs to it. Errors: kUnavailable "file_not_removed".
Status RemoveNextKeysDatabase(const std::string& path);

}  // namespace coffer::vault
