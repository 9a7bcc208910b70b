// From a copy, or from a vault that was rolled back, to the vault that goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/backup/restored_copy.h"
#include "vault/deletion/act_replay.h"
#include "vault/vault_options.h"

namespace coffer::vault {

struct Recovered {
  std::optional<RestoredCopy> copy;  // absent: the directory was rolled back by other means
  std::string log;                   // the name of the log that goes on
  std::uint64_t kept = 0;            // entries of before
  // Where the log itself could not go on: the last that is known of it, and the file that its
  // signed note was kept in, empty where there is none.
  std::optional<audit::Checkpoint> closed;
  std::string closed_note_path;
  Repeated repeated;  // what the ledger has, and the data had not
};

// Of what is named and not there: whether somebody says that it is lost.
struct LostFiles {
  bool anchor = false, ledger = false;
};

// Of a directory that no server has. The log goes on where an anchor that did not come with the
// copy shows that no signed entry is missing. Otherwise it is closed, and a successor begins
// (audit/entries/succession.h): a second history under its name would be a fork. Then the vault is
// opened once, which repeats what the ledger has (docs/decisions/0025), and an entry
// "vault.restored" is written. What a crash leaves is finished by the same again.
//
// `checkpoints`: signed notes of the log that were kept elsewhere. What is named and not there is
// an error unless it is said to be lost: then the log is closed, and the copy's own ledger put in
// that place.
//
// Errors: kConflict "nothing_to_recover", "anchor_missing", "ledger_missing"; "anchor_older" and
// "ledger_older" of what does not go on from the copy's own; "anchor_in_use", "ledger_in_use";
// kCorrupted "anchor_foreign" of an anchor, "checkpoint_foreign" of a note that no key of the copy
// signed; "anchor_mismatch", "checkpoint_mismatch"; those of Vault::Open.
Result<Recovered> RecoverVault(VaultOptions options, crypto::RootKeyProvider& root,
                               const std::vector<std::string>& checkpoints,
                               LostFiles are_lost = {});

}  // namespace coffer::vault
