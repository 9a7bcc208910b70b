// The log's signing keys as the log announces them.
#pragma once

#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

// Each key that the keyring holds, under each name that the log has had
// (audit/entries/succession.h).
std::vector<audit::VerifierKey> VerifierKeysOf(const crypto::Keyring& keyring);

// Of an anchor: by any of these. Errors: those of audit::VerifyCheckpoint; kCorrupted
// "log_behind_anchor" of a name that the log does not have yet: the vault is older than its anchor.
Result<audit::Checkpoint> VerifyByAnyKey(std::string_view note, const crypto::Keyring& keyring);

// By each key that does not retire.
std::string SignHead(const audit::Checkpoint& head, const crypto::Keyring& keyring);

// Entries about keys that the log does not name yet, or does not name as retired yet. To be called
// while the vault is opened, before anything is signed.
Status AnnounceLogKeys(Engine& engine, const crypto::Keyring& keyring);

// The detail of the log's first entry, and of those about keys. Errors: as audit::KeyDetail.
Result<std::string> DetailOf(const crypto::Keyring& keyring, const crypto::PublicKey& key);

// The version of the newest key that the log names.
inline constexpr std::string_view kAnnouncedSetting = "log-key-announced";

}  // namespace coffer::vault
