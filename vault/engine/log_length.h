// Whether the log is as long as everything that is stored beside it says, and the one that was
// signed: an old end of it under a newer database is noticed before anything is signed anew.
#pragma once

#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "vault/engine/log_store.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// Whether log and keyring have one name for it. Errors: kCorrupted "recovery_unfinished": the log
// is of a successor that the keyring does not know; "log_behind_keyring", the other way round.
Status CheckLogName(LogStore& log, const crypto::Keyring& keyring);

// The log must hold the anchor's checkpoint as a prefix: a head behind it means that the database
// was rolled back or cut. Errors: kCorrupted "log_behind_anchor", "anchor_mismatch".
// "anchor_of_closed_log": of a log that this one, `name`, took the place of.
Status CheckAnchor(LogStore& log, const audit::Checkpoint& checkpoint, const std::string& name);

// The same of what vault.db has: the checkpoint that was signed last, those in the newest acts, and
// the tables that name entries. Errors: kCorrupted "log_behind_checkpoint", "checkpoint_mismatch",
// "log_behind_state"; what says so is named.
Status CheckLogLength(const Database& vault, LogStore& log, const crypto::Keyring& keyring);

}  // namespace coffer::vault
