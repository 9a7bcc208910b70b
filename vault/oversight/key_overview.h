// Which keys a vault has, and how far an exchange of them is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keyring_header.h"
#include "vault/base/timestamp.h"
#include "vault/engine/client_kek_use.h"
#include "vault/engine/keyring_log.h"

namespace coffer::vault {

enum class ClientKekPhase : std::uint8_t {
  kSettled,   // one version
  kWrapping,  // clients' keys are under the older one too, or the server has not taken up the newer
  kWrapped,   // none is: the older one can be destroyed
};
std::string_view Name(ClientKekPhase phase);

enum class DatabaseKeyPhase : std::uint8_t {
  kSettled,  // one version
  kWriting,  // a database is under the older one, or the server has not taken up the newer
  kWritten,  // none is: the older one can be destroyed
};
std::string_view Name(DatabaseKeyPhase phase);

struct KeyOverview {
  std::string root_kind;
  std::optional<Timestamp> root_since;  // of the last exchange that the log has

  struct Versions {
    std::string name;
    std::vector<std::uint32_t> versions;  // oldest first
    bool oldest_retiring = false;         // of those that sign the log
  };
  std::vector<Versions> keys;  // of keyring.json, by name

  // Of clients' keys; absent where keys.db was not looked at.
  struct UnderVersion {
    std::uint32_t version = 0;  // 0: what names none
    std::uint64_t keys = 0;
    bool held = true;  // false: keyring.json does not have it, and nobody can read them
  };
  struct Clients {
    std::uint64_t total = 0;
    std::vector<UnderVersion> under;  // with each version that is held, oldest first
    ClientKekPhase phase = ClientKekPhase::kSettled;
    std::optional<Timestamp> since;  // of the newest version
  };
  std::optional<Clients> clients;

  // Of vault-db and keys-db, which are exchanged together; absent where it was not looked.
  struct Database {
    DatabaseKeyPhase phase = DatabaseKeyPhase::kSettled;
    std::optional<Timestamp> since;       // of the newest version
    std::uint64_t pages = 0, copied = 0;  // of vault.db, while a server writes it anew; else 0
  };
  std::optional<Database> database;

  std::optional<std::uint32_t> keys_database_key;  // version of the key that keys.db is under
  std::optional<std::uint64_t> index_generation;   // of the search index's key
};

KeyOverview OverviewOf(const crypto::KeyringHeader& header);
// `working`: a server says that it is not through.
KeyOverview::Clients ClientsOf(const crypto::KeyringHeader& header, const ClientKekUse& use,
                               const NotedKeys& noted, bool working);

KeyOverview::Database DatabaseOf(const crypto::KeyringHeader& header, const NotedKeys& noted,
                                 bool working);

}  // namespace coffer::vault
