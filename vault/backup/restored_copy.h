// A directory that was restored is a copy, until coffer recover makes it the vault: beside the
// vault that it is a copy of it would sign the same log. The file restored.json says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/backup/ledger_end.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// Which log goes on, where that is settled and only what follows was not done.
struct SettledLog {
  std::string log;
  std::uint64_t kept = 0;                   // entries of before
  std::optional<audit::Checkpoint> closed;  // the last that was known of the one that was closed
  std::string closed_note_path;             // where its signed note is kept; may be empty
};

struct RestoredCopy {
  std::string repository;  // id of the data's
  std::string generation;
  std::uint64_t increments = 0;  // behind it
  Timestamp created;             // the moment of the data
  std::uint64_t log_size = 0;    // entries
  std::string newest_log;        // the last name of its log that the repository knows
  // Verifier keys of the log that its keyring lacks, of generations behind it: the log's key was
  // exchanged since, and they signed what the ledger and the anchor have from then on. Separated
  // by spaces.
  std::string later_keys;
  // Of the ledger that was restored with it: what is repeated goes on from there, or is older.
  LedgerEnd ledger;
  // By a key of its keyring, of these two, in hexadecimal: who may write to the directory adds no
  // key, and takes no line of the ledger away.
  std::string signature;
  std::optional<SettledLog> settled;

  // The later keys. Errors: kCorrupted "restored_malformed" where no key of this keyring signed.
  Result<std::vector<audit::VerifierKey>> LaterKeys(const crypto::Keyring& keyring) const;
  void Sign(const crypto::Keyring& keyring);
};

// Errors: kUnavailable "file_not_written".
Status WriteRestoredCopy(const std::string& directory, const RestoredCopy& copy);
// Nothing where the directory is none. Errors: kCorrupted "restored_malformed"; those of reading.
Result<std::optional<RestoredCopy>> ReadRestoredCopy(const std::string& directory);
// Durable on return. Errors: kUnavailable "file_not_removed".
Status RemoveRestoredCopy(const std::string& directory);
// Errors: kConflict "restored_copy" where it is one.
Status CheckNoCopy(const std::string& directory);

}  // namespace coffer::vault
