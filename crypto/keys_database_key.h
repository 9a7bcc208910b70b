// keys.db.key: the random key that keys.db is encrypted with, wrapped under the keyring. Two while
// keys.db is rewritten: the one it has, and the next.
//
//   coffer-keys-db-key-v1
//   <version> <base64 of the wrapped key>
//   <version> <base64 of the wrapped key>        the next one; its version is greater
//
// Each line ends with a newline; versions are decimal from 1. A key is sealed (crypto/aead.h) with
// its version as key id, bound to "coffer-keys-db-key-v1 ‖ vault id ‖ version (u32 big-endian)",
// under HKDF-SHA-256 of the keyring's newest keys-db key with the info "coffer-keys-db-wrap-v1";
// while that is exchanged, what is under the one before opens too. So a
// server that has its keyring open can replace the key, which it could not in keyring.json: that is
// sealed by the root key, which no server keeps.
//
// Beside keys.db and not in keyring.json also because the two are backed up together, for days,
// where keyring.json is kept for long: a destroyed key is then in no long-lived backup, and an old
// keyring.json still opens the keys.db of today.
//
// Vaults from before there was this file have keys.db under the keyring's keys-db key itself; they
// get it with their first rewrite.
//
// Destroyed means: the wrapped key is in this file no longer, nor in a temporary file of it that a
// crash left behind, and the blocks of both were overwritten (atomic_file.h). What it does not
// mean:
//   - File systems that write elsewhere, unused blocks of an SSD, snapshots and backups may keep an
//   earlier keys.db.key. Whoever has
//     one of them, the same of the earlier keys.db, keyring.json and the root key reads the earlier
//     keys. Two things have to survive instead of one.
//   - The keyring's keys-db key stays the same unless somebody exchanges it: of a vault from before
//     this file, blocks of the keys.db of that time are readable for whoever has it.
//   - Who can write both files can put earlier ones back. The vault then destroys the keys of the
//     clients that its register of erasures has, and rewrites keys.db anew.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keyring.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto {

struct KeysDatabaseKey {
  std::uint32_t version = 0;  // from 1
  SecretBytes key;            // 32 bytes
};

// One or two, that of keys.db first. Without the file the keyring's own, the oldest, as version 1.
// Errors:
// kCorrupted "keys_db_key_malformed" (damaged, or of another vault), kUnavailable.
Result<std::vector<KeysDatabaseKey>> ReadKeysDatabaseKeys(const std::string& path,
                                                          const Keyring& keyring);

// Whether the file is there, and all that it has is wrapped under the keyring's newest keys-db key
// alone. Errors: those of ReadKeysDatabaseKeys.
Result<bool> IsUnderNewestKeysDbKey(const std::string& path, const Keyring& keyring);

// A new random key, version 1, for a keys.db that is not made yet. Errors: kConflict "file_exists",
// kUnavailable.
Result<SecretBytes> CreateKeysDatabaseKey(const std::string& path, const Keyring& keyring);

// These rewrite the file atomically and are not for two callers at a time: hold the vault's lock.
// Errors: those of ReadKeysDatabaseKeys, which leave it as it was; kUnavailable "file_not_written",
// after which it is the old or the new one, whole.
//
// A new random key, one version up, beside the one that is there. Errors: kConflict
// "keys_db_key_replaced_already" when there are two; kExhausted when there is no further version.
Result<SecretBytes> AddKeysDatabaseKey(const std::string& path, const Keyring& keyring);
// Destroys (above) the older of two keys; fine when there is one.
Status PromoteKeysDatabaseKey(const std::string& path, const Keyring& keyring);
// Destroys the next one; fine when there is none.
Status DropNextKeysDatabaseKey(const std::string& path, const Keyring& keyring);

}  // namespace coffer::crypto
