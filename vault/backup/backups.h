// Copies of the vault, made while it serves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/backup/backup_options.h"
#include "vault/backup/backup_runner.h"
#include "vault/backup/backup_writer.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// What a destination has, as it says itself: its objects are not read.
struct DestinationState {
  std::string name;
  BackupKind kind = BackupKind::kData;
  std::string directory;
  std::string problem;  // why it cannot be used; empty: it can
  std::uint64_t generations = 0;
  std::optional<std::string> newest;
  std::optional<Timestamp> newest_created;
  // All that was committed until then is there, in increments behind the newest; absent: it was not
  // written to since the vault was opened, or increments are off.
  std::optional<Timestamp> until;
};

class Backups {
 public:
  Backups(const Operations& operations, const BackupOptions& options, BackupRunner& runner)
      : operations_(operations), options_(options), runner_(runner) {}

  // Makes the repository of a destination: a place that merely is not mounted is never taken for
  // one. Errors: kNotFound "not_found"; those of Repository::Create.
  Result<DestinationState> InitializeDestination(const Caller& caller, const std::string& name);
  // A generation now. Errors: kConflict "backup_not_configured", "backup_running"; those of
  // BackupWriter. A destination's own are in the result.
  Result<BackupRun> RunBackup(const Caller& caller);
  Result<std::vector<DestinationState>> ListDestinations(const Caller& caller);

  // A run that is under way ends soon, without a generation.
  void Stop() { runner_.Interrupt(); }

 private:
  DestinationState StateOf(std::size_t number) const;

  const Operations& operations_;
  const BackupOptions& options_;
  BackupRunner& runner_;
};

}  // namespace coffer::vault
