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

#include "vault/backup/backup_writer.h"

namespace coffer::vault {

class BackupRunner {
 public:
  // As BackupWriter.
  BackupRunner(const Operations& operations, const BackupOptions& options, VaultFiles files,
               std::function<bool()> clock_doubted)
      : operations_(operations),
        options_(options),
        writer_(operations, options, std::move(files), std::move(clock_doubted)) {}
  ~BackupRunner();

  void Start();
  // Ends what is under way. With the second everything that was committed is where an increment can
  // still go: nothing is asked of the vault any more.
  void Stop();
  void Finish();

  // Claims that a generation is made now: one at a time.
  bool TryBegin() { return !running_.exchange(true); }
  void DropClaim() { running_ = false; }
  // In every destination, with an entry of how it went. Precondition: TryBegin, which ends with it.
  // Errors: those of BackupWriter and of the log.
  Result<BackupRun> MakeGeneration() { return Generate(false); }
  // What was committed since, now. Errors: those of BackupWriter; what a destination failed for is
  // in its progress.
  Status MakeIncrements();
  void Wake();  // a destination can be used that could not

  const BackupWriter& writer() const { return writer_; }

 private:
  using Clock = std::chrono::steady_clock;
  Result<BackupRun> Generate(bool lacking);
  void Loop();
  void Tick();
  bool IsDue(bool& lacking) const;
  void FindNewest();
  void TellOfBehind();

  const Operations& operations_;
  const BackupOptions& options_;
  BackupWriter writer_;
  std::mutex writing_;  // the writer's
  std::atomic<bool> running_{false};

  // Of the thread.
  std::optional<Clock::time_point> retry_;  // not before, what has failed
  std::atomic<std::int64_t> newest_ms_{0};  // of the newest generation; 0: there is none
  std::string failed_;                      // as was told last
  std::vector<std::optional<Clock::time_point>> behind_since_;
  std::vector<bool> told_behind_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false, woken_ = false;
  std::thread thread_;
};

}  // namespace coffer::vault
