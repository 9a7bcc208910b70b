// From a backup to a data directory again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crypto/result.h"
#include "vault/backup/repository.h"
#include "vault/backup/restored_keyring.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct RestoreRequest {
  StorePlace data_repository, keys_repository;
  std::string generation;  // of the data, as it is; empty: the newest, with its increments
  std::string directory;   // does not exist yet, or is empty
  std::optional<Timestamp> at = std::nullopt;  // of no generation: the newest moment until then
};

struct Restored {
  std::string generation;
  std::uint64_t increments = 0;  // behind it, that are in this copy
  // That of the keys. Where those of that moment are kept no longer, the next later ones: whoever
  // was erased in between cannot be read, in whole or in part.
  std::string keys_generation;
  bool keys_later = false;
  // Whose keyring.json it is: of the generation itself, unless a key was exchanged since, and the
  // root key that is given, or the keys of clients, are of later.
  std::string keyring_generation;
  // Generation whose keys it has too, beside its own: where keys of several kinds were exchanged
  // since. Mostly empty.
  std::string keyring_joined;
  bool by_later_root = false;     // it opens by the later of two root keys
  std::string ledger_generation;  // the newest: erasures since then are repeated at the start
  Timestamp created;
  std::uint64_t log_size = 0;  // entries behind these are not in this copy
};

// Checks every signature and hash on the way, and leaves nothing where it fails. keyring.json comes
// last: what a crash left does not start. Errors: those of `open_root`; kConflict
// "directory_not_empty", "repository_of_other_kind", "repository_of_other_vault"; kNotFound
// "generation_missing", "keys_generation_missing", "increment_missing",
// "keyring_generation_missing": a key was exchanged in between, and no keyring.json that the root
// key opens fits both, nor do two together; kCorrupted "increment_malformed", also where one does
// not follow the one before; those of Repository, VerifyBackupManifest, VerifyBackupIncrement,
// ReadPages, ReadChanges and Keyring::Open; kUnavailable "file_not_written".
// `later_root`, where it is given: the vault exchanged its root key behind what is restored, and
// then keys of the log, so that one root key leads to the generation's own and another one to those
// that signed what came behind it. Where keyrings of both are there, the copy opens by the later.
Result<Restored> RestoreVault(const RestoreRequest& request, const OpenRootKeyFor& open_root,
                              const OpenRootKeyFor& later_root = {});

}  // namespace coffer::vault
