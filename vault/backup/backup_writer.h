// Writes a vault's backups: generations, which are whole, and increments behind them. What it does
// not do is decide when.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crypto/result.h"
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
  // Of generations that should have gone: the destination retains them (object lock).
  std::uint64_t generations_retained = 0;
  std::optional<Timestamp> retained_until = std::nullopt;  // where it is told
};

struct BackupRun {
  std::string generation;  // empty: no destination could be written to
  Timestamp created;
  std::uint64_t log_size = 0;
  std::vector<DestinationRun> destinations;

  bool copied() const;    // some destination has its copy
  bool complete() const;  // each has, and no problem
};

// What of a destination stays, and what went, or would.
struct DestinationPrune {
  std::string name;
  BackupKind kind = BackupKind::kData;
  std::vector<std::string> kept, removed;  // generations, newest first
  std::string problem;                     // a reason and a detail
};

// How far a destination has come since this vault was opened.
struct DestinationProgress {
  // All that was committed until then is there; absent: nothing of this opening is yet.
  std::optional<Timestamp> until;
  std::optional<Timestamp> generation;  // the last whole one
  std::string problem;                  // of the last try; empty: it went well
  std::string prune_problem;            // why what was to go is there
  std::uint64_t increments = 0;         // behind the generation

  const std::string& AnyProblem() const { return problem.empty() ? prune_problem : problem; }
};

class BackupWriter {
 public:
  // `clock_doubted` says that the clock may be wrong: nothing is removed by it then.
  // `found_damaged` says of a destination since when it is: until a generation was copied to it
  // since, what is there is read before it is relied on.
  BackupWriter(const Operations& operations, const BackupOptions& options, VaultFiles files,
               std::function<bool()> clock_doubted,
               std::function<std::optional<Timestamp>(const std::string&)> found_damaged);
  ~BackupWriter();

  // These three, of one thread at a time.
  //
  // A generation in every destination that can be used, or in those of them that need one
  // (`lacking`), of one moment; what is older than it is to be kept goes from there. It has no name
  // where none can be used. Errors: those of TakeSnapshot. A destination's own are in the result.
  Result<BackupRun> WriteGeneration(bool lacking);
  // What was committed since, into every destination that has a generation of this opening; nothing
  // where nothing was. Errors: those of TakeSnapshot. They and a destination's own are in its
  // progress, and it is gone on with where it stood.
  Status WriteIncrements();

  // What a destination, or each where none is named, does not keep goes now; or, `dry`, is told.
  // Errors: kConflict "clock_unconfirmed". A destination's own are in the result.
  Result<std::vector<DestinationPrune>> PruneNow(const std::string& name, bool dry);

  // Any thread. In the order of the configuration.
  std::vector<DestinationProgress> Progress() const;
  // Whether one has no generation of this opening, not the last one, or increments that have become
  // longer than it.
  bool NeedsGeneration() const;
  // What is under way, or begun later, ends soon, unfinished; until it is resumed, for so long.
  void Stop() { stopping_ = true; }
  void Resume(std::chrono::seconds patience);
  bool stopping() const { return stopping_; }

  // Errors: those of Repository::Open; kConflict "repository_of_other_kind",
  // "repository_of_other_vault".
  // `briefly`: for somebody who waits. Any thread.
  Result<Repository> OpenDestination(const BackupDestination& destination,
                                     bool briefly = false) const;
  // Its repository. Errors: those of Repository::Create.
  Result<Repository> MakeDestination(const BackupDestination& destination) const;

 private:
  struct Chain;  // what an increment follows
  struct Place;  // a destination
  struct Increment;
  // When it last did something, and what had been asked of the vault then.
  struct Pace {
    std::chrono::steady_clock::time_point since;
    std::uint64_t requests = 0;
  };

  // What a commit moves on, and an operation that stores nothing does not.
  struct Stored {
    std::uint64_t entries = 0, signed_entries = 0, frames = 0, keys_frames = 0, keys_rewrites = 0;
    bool operator==(const Stored&) const = default;
  };

  static Stored StoredBy(const EngineStatistics& statistics);
  Result<VaultSnapshot> Snapshot();
  void Open(Place& place, bool to_begin);
  void Prune(Place& place, Timestamp now, Pace& pace) const;
  Status CopyTo(Place& place, const VaultSnapshot& snapshot, const BackupRun& run,
                Pace& pace) const;
  Result<Increment> Collect(Place& place, const VaultSnapshot& snapshot) const;
  Status Write(Increment& increment, std::uint64_t log_size) const;
  Result<Repository> Check(Repository repository, const BackupDestination& destination) const;
  Repository::Owner owner() const;
  bool interrupted() const;
  Status GoOn(Pace& pace) const;
  Status CheckRoom() const;
  std::vector<audit::VerifierKey> TrustedKeys() const;
  // Nothing was committed between the newest snapshot and `until`.
  void Tell(const Place& place, Timestamp until = {});
  void TellOfPrune(const Place& place);

  const Operations& operations_;
  const BackupOptions& options_;
  const VaultFiles files_;
  const std::function<bool()> clock_doubted_;
  const std::function<std::optional<Timestamp>(const std::string&)> found_damaged_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::chrono::steady_clock::time_point> until_{
      std::chrono::steady_clock::time_point::max()};  // after it as well
  std::vector<Place> places_;
  Timestamp last_;          // of the newest snapshot
  Timestamp keys_changed_;  // of the newest snapshot in which the keys were others
  Hash keys_key_{};         // of keys.db.key, then
  Stored seen_;             // at that moment

  mutable std::mutex mutex_;
  std::vector<DestinationProgress> progress_;
  bool needs_generation_ = true;
};

}  // namespace coffer::vault
