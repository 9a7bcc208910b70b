// Copies of the vault, made while it serves.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
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
  bool copied = false;
  std::string problem;  // why it has no copy, or keeps too much: a reason and a detail
  PageFigures figures;
  std::uint64_t generations_removed = 0;
};

struct BackupRun {
  std::string generation;
  Timestamp created;
  std::uint64_t log_size = 0;
  std::vector<DestinationRun> destinations;

  bool complete() const;  // each destination has its copy, and no problem
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
  // `clock_doubted` says that the clock may be wrong: nothing is removed by it then.
  Backups(const Operations& operations, const BackupOptions& options, VaultFiles files,
          std::function<bool()> clock_doubted)
      : operations_(operations),
        options_(options),
        files_(std::move(files)),
        clock_doubted_(std::move(clock_doubted)) {}

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
  struct Place;  // a destination in a run
  // When it last did something, and what had been asked of the vault then.
  struct Pace {
    std::chrono::steady_clock::time_point since;
    std::uint64_t requests = 0;
  };

  Result<BackupRun> Copy();
  void Open(Place& place) const;
  void Prune(Place& place, Timestamp now, Pace& pace) const;
  Result<Repository> OpenDestination(const BackupDestination& destination) const;
  Status CopyTo(const Repository& repository, const VaultSnapshot& snapshot, const BackupRun& run,
                PageFigures& figures, Pace& pace) const;
  Status GoOn(Pace& pace) const;
  std::vector<audit::VerifierKey> TrustedKeys() const;
  DestinationState StateOf(const BackupDestination& destination) const;

  const Operations& operations_;
  const BackupOptions& options_;
  const VaultFiles files_;
  const std::function<bool()> clock_doubted_;
  std::atomic<bool> running_{false};
  std::atomic<bool> stopping_{false};
};

}  // namespace coffer::vault
