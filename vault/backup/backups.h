// Copies of the vault, made while it serves.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/backup/backup_options.h"
#include "vault/backup/page_list.h"
#include "vault/backup/repository.h"
#include "vault/backup/snapshot.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// What became of one destination in a run.
struct DestinationRun {
  std::string name;
  BackupKind kind = BackupKind::kData;
  std::string problem;  // why it has no copy, as a reason and a detail; empty: it has
  PageFigures figures;
  std::uint64_t generations_removed = 0;
};

struct BackupRun {
  std::string generation;
  Timestamp created;
  std::uint64_t log_size = 0;
  std::vector<DestinationRun> destinations;

  bool complete() const;  // each destination has its copy
};

// What a destination has, as it says itself: its objects are not read.
struct DestinationState {
  std::string name;
  BackupKind kind = BackupKind::kData;
  std::string directory;
  std::string problem;  // why it cannot be used; empty: it can
  std::uint64_t generations = 0;
  std::optional<std::string> newest;
  std::optional<Timestamp> newest_created;
};

class Backups {
 public:
  Backups(const Operations& operations, const BackupOptions& options, VaultFiles files)
      : operations_(operations), options_(options), files_(std::move(files)) {}

  // Makes the repository of a destination: a place that merely is not mounted is never taken for
  // one. Errors: kNotFound "not_found"; those of Repository::Create.
  Result<DestinationState> InitializeDestination(const Caller& caller, const std::string& name);
  // A generation in every destination that can be used, of one moment; what is older than it is to
  // be kept goes from there. Errors: kConflict "backup_not_configured", "backup_running"; those of
  // TakeSnapshot. A destination's own are in the result.
  Result<BackupRun> RunBackup(const Caller& caller);
  Result<std::vector<DestinationState>> ListDestinations(const Caller& caller);

  // A run that is under way ends soon, without a generation.
  void Stop() { stopping_ = true; }

 private:
  Result<BackupRun> Copy();
  Result<Repository> OpenDestination(const BackupDestination& destination) const;
  Status CopyTo(const Repository& repository, const VaultSnapshot& snapshot, const BackupRun& run,
                PageFigures& figures) const;
  DestinationState StateOf(const BackupDestination& destination) const;

  const Operations& operations_;
  const BackupOptions& options_;
  const VaultFiles files_;
  std::mutex running_;
  std::atomic<bool> stopping_{false};
};

}  // namespace coffer::vault
