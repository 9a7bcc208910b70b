// When backups are made: generations by the calendar and where one is lacking, increments all the
// time, on a thread of its own; and now, for who asks.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "vault/backup/backup_history.h"
#include "vault/backup/backup_writer.h"
#include "vault/backup/copies.h"
#include "vault/oversight/status.h"

namespace coffer::vault {

class BackupRunner {
 public:
  // As BackupWriter.
  BackupRunner(const Operations& operations, const BackupOptions& options, VaultFiles files,
               std::function<bool()> clock_doubted)
      : operations_(operations),
        options_(options),
        writer_(operations, options, std::move(files), std::move(clock_doubted),
                [this](const std::string& name) { return history_.Damaged(name); }) {}
  ~BackupRunner();

  void Start();
  void Interrupt();  // what is under way ends soon, and nothing is begun
  // The same, and waits for it, but not for a destination that does not answer.
  void Stop();
  // After it, when nothing is asked of the vault any more: everything that was committed is where
  // an increment can still go.
  void Finish();

  // Claims that a generation is made for somebody: one at a time, behind what the thread is at.
  bool TryBegin() { return !asked_.exchange(true); }
  void DropClaim() { asked_ = false; }
  // In every destination, with an entry of how it went. Precondition: TryBegin, which ends with it.
  // Errors: those of BackupWriter and of the log.
  Result<BackupRun> MakeGeneration();
  // Where one is needed to go on (BackupWriter::NeedsGeneration), as the thread does.
  Result<BackupRun> MakeLacking() { return Generate(true, false); }
  // As BackupWriter::PruneNow, with an entry of how it went where it is not `dry`.
  Result<std::vector<DestinationPrune>> Prune(const std::string& name, bool dry);
  // What was committed since, now. Errors: those of BackupWriter; what a destination failed for is
  // in its progress.
  Status MakeIncrements();
  void Wake();  // a destination can be used that could not

  const BackupWriter& writer() const { return writer_; }
  BackupStanding Standing() const;  // any thread
  BackupHistory& history() { return history_; }
  const BackupHistory& history() const { return history_; }

 private:
  using Clock = std::chrono::steady_clock;
  Result<BackupRun> Generate(bool lacking, bool asked);
  void Loop();
  void Tick();
  bool IsDue(bool& lacking) const;
  void FindNewest();
  std::vector<CopyState> Copies() const;
  void AddShown(BackupStanding& standing) const;
  void TellOfBehind();
  void Warn(const Result<BackupRun>& run) const;

  const Operations& operations_;
  const BackupOptions& options_;
  BackupWriter writer_;
  std::timed_mutex writing_;  // the writer's
  std::atomic<bool> asked_{false};

  // Of the thread.
  std::optional<Clock::time_point> retry_;  // not before, what has failed
  std::chrono::seconds retry_after_{30};
  std::atomic<std::int64_t> newest_ms_{0};  // of the newest generation; 0: there is none
  std::string failed_;                      // as was told last
  std::vector<std::optional<Clock::time_point>> behind_since_;
  std::vector<bool> told_behind_;

  BackupHistory history_;
  mutable std::mutex found_mutex_;
  std::vector<CopyState> found_;  // at the beginning, by destination

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false, woken_ = false, ended_ = false;
  std::thread thread_;
};

}  // namespace coffer::vault
