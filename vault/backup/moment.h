// A moment that a repository has: a generation, and increments behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "audit/documents/backup_increment.h"
#include "audit/documents/backup_manifest.h"
#include "crypto/result.h"
#include "vault/backup/change_set.h"
#include "vault/backup/repository.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct Moment {
  audit::BackupManifest manifest;
  std::vector<audit::BackupIncrement> increments;

  Timestamp created() const;
  std::uint64_t log_size() const;
  Timestamp keys_changed() const;  // keys of that time or later open its data
};

// Errors: kCorrupted "manifest_malformed" where it has none of that name.
Result<audit::BackupFile> FileOf(const audit::BackupManifest& manifest, std::string_view name);

// What is wrong with that increment of the generation, or with what it needs: which one to move
// away, to restore what is before it.
std::unexpected<Error> OfIncrement(const Repository& repository, const std::string& generation,
                                   std::uint64_t n, Error error);

// Takes increments as long as `more` says of the next one that it is wanted; those behind are not
// looked at. `trusted` empty: no signature is looked at. Errors: those of Repository,
// VerifyBackupManifest and VerifyBackupIncrement; kCorrupted "manifest_malformed",
// "increment_malformed" where it is another's or does not follow the one before; kNotFound
// "increment_missing".
Result<Moment> ReadMoment(const Repository& repository, const std::string& generation,
                          std::span<const std::uint64_t> numbers,
                          const std::function<bool(const audit::BackupIncrement&)>& more,
                          std::span<const audit::VerifierKey> trusted);

// The same of the manifest alone.
Result<audit::BackupManifest> VerifiedManifest(const Repository& repository,
                                               const std::string& generation,
                                               std::span<const audit::VerifierKey> trusted,
                                               std::string* note = nullptr);

}  // namespace coffer::vault
