// Exchanging the root key, the client-KEK and the keys of databases and search index, by whoever
// has the root key; a server may have the vault meanwhile, and does its part by itself
// (vault/clients/client_key_exchange.h). The key that signs the log: log_key_rotation.h.
#pragma once

#include <cstdint>
#include <string>

#include "crypto/kdf.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/oversight/key_overview.h"

namespace coffer::vault {

// keyring.json wrapped by another root key: the old one opens nothing of it any more, which is
// tried. A crash leaves the old file or the new one. Errors: those of
// crypto::Keyring::ExchangeRootKey; kConflict "keyring_in_use"; kInternal "root_key_unusable" when
// what was written does not open by the new key alone.
Status ExchangeRootKey(const std::string& directory, crypto::RootKeyProvider& root,
                       crypto::RootKeyProvider& next, const crypto::Argon2idParameters& passphrase);

struct KeyExchangeBegun {
  std::uint32_t version = 0;
  bool begun = false;   // false: an exchange was under way, and goes on
  bool served = false;  // it was handed to the server that runs
};
// The next client-KEK, or the next keys of both databases, in keyring.json and then, where a server
// runs, in files for it. What a crash leaves in between is made good by the same again, or by a
// start. Errors: those of crypto::Keyring::AddNext, "keyring_in_use".
Result<KeyExchangeBegun> BeginKeyExchange(const std::string& directory,
                                          crypto::RootKeyProvider& root, crypto::KeysInUse which);

struct ClientKekFinished {
  std::uint32_t version = 0;
  std::uint64_t keys = 0;     // of clients, under that version
  std::uint64_t damaged = 0;  // of others, which open under none
};
// The older client-KEK is destroyed, where nothing is wrapped under it. Errors: kConflict
// "nothing_to_finish", "rotation_unfinished", "keyring_in_use"; those of Keyring::Open and of the
// databases.
Result<ClientKekFinished> FinishClientKekExchange(const std::string& directory,
                                                  crypto::RootKeyProvider& root);

// The older keys of the databases are destroyed, where both are written under the newest, whose
// version is returned. Errors: as FinishClientKekExchange.
Result<std::uint32_t> FinishDatabaseKeyExchange(const std::string& directory,
                                                crypto::RootKeyProvider& root);

struct IndexExchangeAsked {
  std::uint64_t generation = 0;  // of the newest key, which goes
  bool served = false;           // a server runs, and begins
};
// The search index is to be made anew under another key by the server that runs, or that starts
// next; asking once more before it is through changes nothing. Errors: those of Keyring::Open and
// of the databases.
Result<IndexExchangeAsked> AskForIndexExchange(const std::string& directory,
                                               crypto::RootKeyProvider& root);

// Without a server. `root` null: what can be told without it, which is no counts and no times.
Result<KeyOverview> ReadKeys(const std::string& directory, crypto::RootKeyProvider* root);

}  // namespace coffer::vault
