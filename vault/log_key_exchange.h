// The exchange of the key that signs the log as a running vault follows it. Who has the root key
// does the rest (log_key_rotation.h):
//
//   1. keyring.json gets the next key                               by the root key
//   2. the log announces it; then it vouches for the ledger and signs beside the one before
//   3. keyring.json says that the one before is retired             by the root key
//   4. the log says so; the next checkpoint, which has that entry, is signed without it
//   5. keyring.json loses it                                        by the root key, or at a start
//
// A crash after 1 or 3 leaves what a start finishes by itself.
#pragma once

#include <string>

#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/deletion/erasure_ledger.h"
#include "vault/engine/engine.h"
#include "vault/engine/log_publisher.h"

namespace coffer::vault {

struct LogKeyUsers {
  Engine& engine;
  crypto::Keyring& keyring;
  LogPublisher& publisher;
  ErasureLedger& ledger;
};

// 2 and 4 where they are due, by what keyring.json says now and what lies beside it. Not for two
// threads. Errors: kConflict "keyring_behind", "keyring_ahead" where the file and this process do
// not fit; those of what is written, after which it is to be called again.
Status FollowLogKeys(const LogKeyUsers& users, const std::string& directory,
                     const crypto::KeyringHeader& header);

}  // namespace coffer::vault
