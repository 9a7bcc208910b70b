#include "vault/storage/keys_database.h"

#include <unistd.h>

#include "crypto/keys_database_key.h"

namespace coffer::vault {
namespace {

struct OpenedKeys {
  Database database;
  bool with_next = false;  // with the second of two keys
};

Result<OpenedKeys> OpenWithAnyKey(const std::string& path, const crypto::Keyring& keyring,
                                  const Database::Options& options) {
  const std::string key_path = KeysDatabaseKeyPath(path);
  COFFER_ASSIGN(const auto keys, crypto::ReadKeysDatabaseKeys(key_path, keyring));
  const bool two = keys.size() > 1;
  auto opened = Database::Open(path, keys.front().key, options);
  if (opened) return OpenedKeys{*std::move(opened), false};
  Error error = std::move(opened).error();
  if (two && error.code == Code::kCorrupted) {
    opened = Database::Open(path, keys.back().key, options);
    if (opened) return OpenedKeys{*std::move(opened), true};
    // What the disk refuses says nothing of the key.
    if (opened.error().code != Code::kCorrupted) error = std::move(opened).error();
  }
  if (error.code == Code::kCorrupted && access(key_path.c_str(), F_OK) != 0) {
    error.detail += "; its key, " + key_path + ", is not there, where all but old vaults have it";
  }
  return std::unexpected(std::move(error));
}

}  // namespace

std::string KeysDatabaseKeyPath(const std::string& path) { return path + ".key"; }
std::string NextKeysDatabasePath(const std::string& path) { return path + ".next"; }

Result<Database> OpenKeysDatabase(const std::string& path, const crypto::Keyring& keyring,
                                  const Database::Options& options) {
  COFFER_ASSIGN(auto opened, OpenWithAnyKey(path, keyring, options));
  return std::move(opened.database);
}

Status SettleKeysDatabase(const std::string& path, const crypto::Keyring& keyring) {
  const std::string key_path = KeysDatabaseKeyPath(path);
  bool with_next = false;
  {
    COFFER_ASSIGN(const auto keys, crypto::ReadKeysDatabaseKeys(key_path, keyring));
    if (keys.size() > 1) {
      COFFER_ASSIGN(const auto opened, OpenWithAnyKey(path, keyring, {.read_only = true}));
      with_next = opened.with_next;
    }
  }
  COFFER_TRY(RemoveNextKeysDatabase(path));
  return with_next ? crypto::PromoteKeysDatabaseKey(key_path, keyring)
                   : crypto::DropNextKeysDatabaseKey(key_path, keyring);
}

Status RemoveNextKeysDatabase(const std::string& path) {
  return RemoveDatabase(NextKeysDatabasePath(path));
}

}  // namespace coffer::vault
