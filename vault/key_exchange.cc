#include "vault/key_exchange.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "crypto/atomic_file.h"
#include "crypto/keyring.h"
#include "crypto/keys_database_key.h"
#include "vault/clients/index_exchange_request.h"
#include "vault/clients/search_index.h"
#include "vault/engine/client_kek_use.h"
#include "vault/engine/keyring_log.h"
#include "vault/opening.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/vault_database.h"

namespace coffer::vault {
namespace {

constexpr auto kForAll = std::chrono::steady_clock::time_point::max();

// A server that runs, or is being started: whoever starts later reads keyring.json anew.
Result<bool> HasServer(const std::string& directory) {
  const auto lock = DirectoryLock::Acquire(directory);
  if (lock) return false;
  if (lock.error().code == Code::kConflict) return true;
  return std::unexpected(lock.error());
}

// Of vault.db, beside a server too.
Result<NotedKeys> ReadNoted(const std::string& directory, const crypto::Keyring& keyring) {
  const std::string path = VaultDatabasePath(directory);
  COFFER_ASSIGN(VaultDatabase vault,
                Reading(path, OpenVaultDatabase(path, keyring, {.read_only = true})));
  COFFER_ASSIGN(auto settings, Reading(path, SettingStore::Open(vault.database)));
  return Reading(path, ReadNotedKeys(settings));
}

Result<Database> OpenKeysForReading(const std::string& directory, const crypto::Keyring& keyring) {
  const std::string path = KeysDatabasePath(directory);
  return Reading(path, OpenKeysDatabase(path, keyring, {.read_only = true}));
}

bool HasNoted(const std::optional<std::vector<std::uint32_t>>& noted, std::uint32_t version) {
  return noted && std::ranges::find(*noted, version) != noted->end();
}

crypto::VersionedKeys& InUseOf(crypto::Keyring& keyring, crypto::KeysInUse which) {
  if (which == crypto::KeysInUse::kClients) return keyring.client_keks();
  return keyring.vault_db_keys();
}

Status HandOver(const std::string& directory, std::string_view name,
                const crypto::VersionedKeys& keys, const crypto::Keyring& keyring) {
  COFFER_ASSIGN(const Bytes sealed, keys.SealNewest(keyring.note_key()));
  return crypto::WriteFileAtomically(HandedOverKeyPath(directory, name), sealed);
}

}  // namespace

Status ExchangeRootKey(const std::string& directory, crypto::RootKeyProvider& root,
                       crypto::RootKeyProvider& next,
                       const crypto::Argon2idParameters& passphrase) {
  COFFER_TRY(CheckThere(directory));
  COFFER_ASSIGN(const auto lock, KeyringLock::Acquire(directory));
  const std::string path = KeyringPath(directory);
  COFFER_TRY(crypto::Keyring::ExchangeRootKey(path, root, next, passphrase));
  // What the next start will do, and what must not succeed any more.
  if (const auto by_next = crypto::Keyring::Open(path, next); !by_next) {
    return Fail(Code::kInternal, "root_key_unusable",
                path + " was written, and was not opened by the new root key (" +
                    std::string(by_next.error().reason) + "): keep both keys");
  }
  const auto by_old = crypto::Keyring::Open(path, root);
  if (by_old || by_old.error().code != Code::kUnauthenticated) {
    return Fail(Code::kInternal, "root_key_unusable",
                path +
                    " was written, and still opens by the old root key, or is damaged: keep "
                    "both keys");
  }
  return {};
}

Result<KeyExchangeBegun> BeginKeyExchange(const std::string& directory,
                                          crypto::RootKeyProvider& root, crypto::KeysInUse which) {
  COFFER_TRY(CheckThere(directory));
  COFFER_ASSIGN(const auto lock, KeyringLock::Acquire(directory));
  const std::string path = KeyringPath(directory);
  KeyExchangeBegun begun;
  {
    COFFER_ASSIGN(auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
    begun.begun = InUseOf(keyring, which).versions().size() == 1;
  }
  // Durable before anybody can encrypt under it.
  if (begun.begun) COFFER_TRY(crypto::Keyring::AddNext(path, root, which));
  COFFER_ASSIGN(auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
  begun.version = InUseOf(keyring, which).newest();
  COFFER_ASSIGN(begun.served, HasServer(directory));
  if (!begun.served) return begun;
  if (which == crypto::KeysInUse::kClients) {
    COFFER_TRY(HandOver(directory, "client-kek", keyring.client_keks(), keyring));
  } else {
    COFFER_TRY(HandOver(directory, "keys-db", keyring.keys_db_keys(), keyring));
    COFFER_TRY(HandOver(directory, "vault-db", keyring.vault_db_keys(), keyring));
  }
  return begun;
}

Result<ClientKekFinished> FinishClientKekExchange(const std::string& directory,
                                                  crypto::RootKeyProvider& root) {
  COFFER_TRY(CheckThere(directory));
  COFFER_ASSIGN(const auto lock, KeyringLock::Acquire(directory));
  const std::string path = KeyringPath(directory);
  COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
  const auto& keks = keyring.client_keks();
  if (keks.versions().size() < 2) {
    return Fail(Code::kConflict, "nothing_to_finish",
                path + " has one client-KEK: no exchange is under way");
  }
  const std::uint32_t newest = keks.newest();
  COFFER_ASSIGN(const NotedKeys noted, ReadNoted(directory, keyring));
  ClientKekUse use;
  ClientKeysLeft left;
  {
    COFFER_ASSIGN(auto database, OpenKeysForReading(directory, keyring));
    COFFER_ASSIGN(auto keys, KeyStore::OpenForReading(database));
    COFFER_ASSIGN(use, ClientKekUse::CountAll(keys));
    bool more = true;
    while (more) {
      COFFER_ASSIGN(more, left.CountSome(keys, keks, kForAll));
    }
  }
  // The vault has said so itself: it took the newer one up, and wraps nothing under the older.
  const bool said = noted.wrapped_under == newest && HasNoted(noted.client_keks, newest);
  if (!said || left.keys() > 0) {
    return Fail(Code::kConflict, "rotation_unfinished",
                std::to_string(use.Under(newest)) + " of " + std::to_string(use.total()) +
                    " clients' keys are wrapped under client-kek version " +
                    std::to_string(newest) +
                    (left.keys() > 0 ? "" : ", and the vault has not said that it is through") +
                    ": the server wraps the others while it runs; see coffer key status");
  }
  COFFER_TRY(crypto::Keyring::DropOlder(path, root, crypto::KeysInUse::kClients));
  return ClientKekFinished{newest, use.Under(newest), left.damaged()};
}

Result<std::uint32_t> FinishDatabaseKeyExchange(const std::string& directory,
                                                crypto::RootKeyProvider& root) {
  COFFER_TRY(CheckThere(directory));
  COFFER_ASSIGN(const auto lock, KeyringLock::Acquire(directory));
  const std::string path = KeyringPath(directory);
  COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
  const std::uint32_t newest = keyring.vault_db_keys().newest();
  if (keyring.vault_db_keys().versions().size() < 2) {
    return Fail(Code::kConflict, "nothing_to_finish",
                path + " has one vault-db key: no exchange is under way");
  }
  // What it says itself, and what the files say.
  COFFER_ASSIGN(const NotedKeys noted, ReadNoted(directory, keyring));
  const std::string vault_path = VaultDatabasePath(directory);
  COFFER_ASSIGN(const VaultDatabase vault,
                Reading(vault_path, OpenVaultDatabase(vault_path, keyring, {.read_only = true})));
  const std::string key_path = KeysDatabaseKeyPath(KeysDatabasePath(directory));
  COFFER_ASSIGN(const bool sealed,
                Reading(key_path, crypto::IsUnderNewestKeysDbKey(key_path, keyring)));
  if (noted.written_under != newest || vault.key_version != newest || !sealed) {
    return Fail(Code::kConflict, "rotation_unfinished",
                std::string("the server has not yet written ") +
                    (vault.key_version != newest ? "vault.db" : "keys.db") + " under version " +
                    std::to_string(newest) + ": it does so while it runs; see coffer key status");
  }
  COFFER_TRY(crypto::Keyring::DropOlder(path, root, crypto::KeysInUse::kDatabases));
  return newest;
}

Result<IndexExchangeAsked> AskForIndexExchange(const std::string& directory,
                                               crypto::RootKeyProvider& root) {
  COFFER_TRY(CheckThere(directory));
  COFFER_ASSIGN(const auto lock, KeyringLock::Acquire(directory));
  const std::string path = KeyringPath(directory);
  COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, root)));
  const std::string vault_path = VaultDatabasePath(directory);
  COFFER_ASSIGN(VaultDatabase vault,
                Reading(vault_path, OpenVaultDatabase(vault_path, keyring, {.read_only = true})));
  IndexExchangeAsked asked;
  COFFER_ASSIGN(const auto there,
                Reading(vault_path, SearchIndex::ReadGenerations(vault.database)));
  const std::string request = HandedOverKeyPath(directory, kSearchIndexName);
  // One that is not done yet is not put off by what is built meanwhile.
  const auto before = ReadIndexExchangeRequest(request, keyring);
  const bool waits = before && *before >= there.live && *before <= there.newest;
  asked.generation = waits ? *before : there.newest;
  COFFER_TRY(WriteIndexExchangeRequest(request, keyring, asked.generation));
  COFFER_ASSIGN(asked.served, HasServer(directory));
  return asked;
}

Result<KeyOverview> ReadKeys(const std::string& directory, crypto::RootKeyProvider* root) {
  COFFER_TRY(CheckThere(directory));
  const std::string path = KeyringPath(directory);
  COFFER_ASSIGN(const auto header, Reading(path, crypto::Keyring::ReadHeader(path)));
  KeyOverview overview = OverviewOf(header);
  if (root == nullptr) return overview;
  COFFER_ASSIGN(const auto keyring, Reading(path, crypto::Keyring::Open(path, *root)));
  COFFER_ASSIGN(const NotedKeys noted, ReadNoted(directory, keyring));
  overview.root_since = noted.root_since;
  COFFER_ASSIGN(auto database, OpenKeysForReading(directory, keyring));
  COFFER_ASSIGN(auto keys, KeyStore::OpenForReading(database));
  COFFER_ASSIGN(const auto use, ClientKekUse::CountAll(keys));
  overview.clients = ClientsOf(header, use, noted, false);
  overview.database = DatabaseOf(header, noted, false);
  const std::string key_path = KeysDatabaseKeyPath(KeysDatabasePath(directory));
  COFFER_ASSIGN(const auto of_database, crypto::ReadKeysDatabaseKeys(key_path, keyring));
  overview.keys_database_key = of_database.front().version;
  return overview;
}

}  // namespace coffer::vault
