#include "vault/storage/vault_database.h"

#include <memory>
#include <optional>
#include <ranges>
#include <utility>

namespace coffer::vault {

Result<VaultDatabase> OpenVaultDatabase(const std::string& path, const crypto::Keyring& keyring,
                                        const Database::Options& options) {
  const crypto::VersionedKeys& keys = keyring.vault_db_keys();
  auto versions = keys.versions();
  // Again at last: it may have been exchanged between the first try and the second.
  if (versions.size() > 1) versions.insert(versions.begin(), versions.back());
  std::optional<Error> first;
  for (const std::uint32_t version : versions | std::views::reverse) {
    const auto key = keys.Find(version);
    if (!key) continue;  // destroyed since
    auto opened = Database::Open(path, *key, options);
    if (opened) return VaultDatabase{*std::move(opened), version};
    // What the disk refuses says nothing of the key.
    if (!first || opened.error().code != Code::kCorrupted) first = std::move(opened).error();
    if (first->code != Code::kCorrupted) break;
  }
  return std::unexpected(*std::move(first));
}

Result<Database> ReadVaultDatabase(const std::string& path, const crypto::Keyring& keyring,
                                   VaultKeyInUse& in_use, int cache_kib) {
  const auto open = [=, &keyring, &in_use] {
    const std::shared_lock lock(in_use.exchanging);
    return OpenVaultDatabase(path, keyring, {.read_only = true, .cache_kib = cache_kib});
  };
  COFFER_ASSIGN(VaultDatabase opened, open());
  const auto version = std::make_shared<std::uint32_t>(opened.key_version);
  opened.database.Follow([version, &in_use] { return in_use.version.load() != *version; },
                         [version, open]() -> Result<Database> {
                           COFFER_ASSIGN(VaultDatabase again, open());
                           *version = again.key_version;
                           return std::move(again.database);
                         });
  return std::move(opened.database);
}

std::string NextVaultDatabasePath(const std::string& path) { return path + ".next"; }

Status RemoveNextVaultDatabase(const std::string& path) {
  return RemoveDatabase(NextVaultDatabasePath(path));
}

}  // namespace coffer::vault
