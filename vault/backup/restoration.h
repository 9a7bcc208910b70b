// From a backup to a data directory again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crypto/result.h"
#include "crypto/root_key_provider.h"
#include "vault/backup/repository.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct RestoreRequest {
  std::string data_repository, keys_repository;
  std::string generation;  // of the data; empty: the newest
  std::string directory;   // does not exist yet, or is empty
};

struct Restored {
  std::string generation;
  // That of the keys, the same unless it is kept no longer: then the next later one. Whoever was
  // erased in between cannot be read, in whole or in part.
  std::string keys_generation;
  std::string ledger_generation;  // the newest: erasures since then are repeated at the start
  Timestamp created;
  std::uint64_t log_size = 0;  // entries behind these are not in this copy
};

// The root key that the keyring.json in this directory calls for.
using OpenRootKeyFor =
    std::function<Result<std::unique_ptr<crypto::RootKeyProvider>>(const std::string& directory)>;

// Checks every signature and hash on the way, and leaves nothing where it fails. keyring.json comes
// last: what a crash left does not start. Errors: those of `open_root`; kConflict
// "directory_not_empty", "repository_of_other_kind", "repository_of_other_vault"; kNotFound
// "generation_missing", "keys_generation_missing"; those of Repository, VerifyBackupManifest,
// ReadPages and Keyring::Open; kUnavailable "file_not_written".
Result<Restored> RestoreVault(const RestoreRequest& request, const OpenRootKeyFor& open_root);

struct RepositoryReport {
  std::string vault;
  BackupKind kind = BackupKind::kData;
  std::vector<std::string> generations;  // whole
  std::uint64_t bytes = 0;               // that were read
  std::vector<std::string> findings;     // a generation, what is wrong with it, and where
};

// Reads everything back: each generation's signature, each object's hash, each page of the newest.
// `trusted` empty: no signature is looked at. Errors: those of Repository::Open and
// ListGenerations.
Result<RepositoryReport> VerifyRepository(const std::string& path,
                                          std::span<const audit::VerifierKey> trusted);

}  // namespace coffer::vault
