// Exchanges of the root key, the client-KEK and the databases' keys as the log tells them: what
// keyring.json has now, against what the vault noted of it. The keys that sign the log: log_keys.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/base/timestamp.h"
#include "vault/engine/engine.h"
#include "vault/engine/setting_store.h"

namespace coffer::vault {

// What the vault noted.
struct NotedKeys {
  std::optional<std::string> root;      // what the root key made of a key, and its kind
  std::optional<Timestamp> root_since;  // nothing: since before it was noted
  std::optional<std::vector<std::uint32_t>> client_keks{};  // oldest first
  std::optional<Timestamp> client_kek_since;                // of the newest
  std::uint32_t wrapped_under = 0;  // all clients' keys were, once; 0: never noted
  // The same of vault-db, and of keys-db, which is exchanged with it.
  std::optional<std::vector<std::uint32_t>> database_keys{};
  std::optional<Timestamp> database_key_since;
  std::uint32_t written_under = 0;  // both databases were
};
Result<NotedKeys> ReadNotedKeys(SettingStore& settings);
Result<NotedKeys> ReadNotedKeys(Engine& engine);

// At a start, in the operation of its entry: of a vault that noted nothing yet, what there is.
Status NoteKeysFirst(SettingStore& settings, const crypto::KeyringHeader& header);

// Entries about what is new in keyring.json, as `header` has it, and is known to this process; and
// about versions that are gone from both. Not for two threads.
Status LogKeyExchanges(Engine& engine, const crypto::KeyringHeader& header,
                       const crypto::Keyring& keyring);

// All clients' keys are wrapped under the newest. An entry, where that is new.
Status LogKeysWrapped(Engine& engine, std::uint32_t version, std::uint64_t rewrapped,
                      std::uint64_t damaged);

// Both databases are written under the newest. An entry, where that is new.
Status LogDatabasesWritten(Engine& engine, std::uint32_t version);

}  // namespace coffer::vault
