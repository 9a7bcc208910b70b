#include "vault/backup/backup_runner.h"

#include <algorithm>
#include <new>
#include <utility>

namespace coffer::vault {
namespace {

constexpr std::chrono::seconds kRetryAfter{30};
constexpr std::chrono::seconds kLookAtCalendarEvery{10};
constexpr std::chrono::minutes kBehindAfter{1};
constexpr std::int64_t kHourMs = 3'600'000;

// What became of it, as its entry says: the generation, then each destination.
std::string DetailOf(const BackupRun& run) {
  std::string detail = run.generation;
  for (const auto& destination : run.destinations) {
    detail.append(detail.empty() ? "" : " ").append(destination.copied ? "" : "not:");
    detail += destination.name;
  }
  return detail;
}

std::string ProblemsOf(const BackupRun& run) {
  std::string problems;
  for (const auto& destination : run.destinations) {
    if (destination.problem.empty()) continue;
    problems += destination.name + ": " + destination.problem + "\n";
  }
  return problems;
}

}  // namespace

BackupRunner::~BackupRunner() { Stop(); }

void BackupRunner::Start() {
  if (options_.backup_destinations.empty()) return;
  if (options_.backup_every_hours == 0 && options_.backup_increment_seconds == 0) return;
  behind_since_.resize(options_.backup_destinations.size());
  told_behind_.resize(options_.backup_destinations.size());
  FindNewest();
  thread_ = std::thread([this] { Loop(); });
}

void BackupRunner::Stop() {
  writer_.Stop();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void BackupRunner::Finish() {
  if (options_.backup_increment_seconds == 0) return;
  const std::lock_guard writing(writing_);
  writer_.Resume();
  const auto written = writer_.WriteIncrements();
  writer_.Stop();
  if (written || !operations_.log()) return;
  operations_.log()(Severity::kWarning,
                    "the last increment of the backup: " + written.error().detail);
}

void BackupRunner::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

Status BackupRunner::MakeIncrements() {
  const std::lock_guard writing(writing_);
  return writer_.WriteIncrements();
}

Result<BackupRun> BackupRunner::Generate(bool lacking) {
  Result<BackupRun> run;
  try {
    const std::lock_guard writing(writing_);
    run = writer_.WriteGeneration(lacking);
  } catch (const std::bad_alloc&) {
    run = Fail(Code::kUnavailable, kNoMemory);
  }
  running_ = false;
  if (run && run->copied()) newest_ms_ = run->created.ms;
  // The same failure again, each half minute, is told once.
  const std::string failed = run ? ProblemsOf(*run) : std::string(run.error().reason);
  if (lacking && !failed.empty() && failed == failed_) return run;
  failed_ = failed;
  if (!run) {
    COFFER_TRY(operations_.LogSystemEvent("backup.ended", run.error().reason));
    return run;
  }
  COFFER_TRY(operations_.LogSystemEvent("backup.ended", run->complete() ? "ok" : "incomplete",
                                        DetailOf(*run)));
  return run;
}

// By what the destinations have: the one that has the oldest is behind. What cannot be used is
// tried, and says why.
void BackupRunner::FindNewest() {
  std::optional<std::int64_t> oldest;
  for (const auto& destination : options_.backup_destinations) {
    const auto newest = [&]() -> Result<std::int64_t> {
      COFFER_ASSIGN(const auto repository, writer_.OpenDestination(destination));
      COFFER_ASSIGN(const auto generations, repository.ListGenerations());
      if (generations.empty()) return 0;
      COFFER_ASSIGN(const auto note, repository.GetManifest(generations.back()));
      COFFER_ASSIGN(const auto manifest, audit::ReadBackupManifest(note));
      return manifest.created.ms;
    }();
    oldest = std::min(oldest.value_or(newest.value_or(0)), newest.value_or(0));
  }
  newest_ms_ = oldest.value_or(0);
}

bool BackupRunner::IsDue(bool& lacking) const {
  if (retry_ && Clock::now() < *retry_) return false;
  lacking = false;
  const std::int64_t every = options_.backup_every_hours * kHourMs;
  // Also when the clock was put back.
  if (every > 0 && std::abs(operations_.Now().ms - newest_ms_) >= every) return true;
  lacking = true;
  return options_.backup_increment_seconds > 0 && writer_.NeedsGeneration();
}

void BackupRunner::Tick() {
  bool lacking = false;
  if (IsDue(lacking) && TryBegin()) {
    const auto run = Generate(lacking);
    retry_.reset();
    if (!run || !run->complete()) retry_ = Clock::now() + kRetryAfter;
  }
  if (options_.backup_increment_seconds == 0) return;
  // Without a snapshot all need a generation, which says why.
  (void)MakeIncrements();
  TellOfBehind();
}

// A destination that has been behind for a minute, and one that no longer is.
void BackupRunner::TellOfBehind() {
  const auto progress = writer_.Progress();
  for (std::size_t i = 0; i < progress.size(); ++i) {
    const std::string& name = options_.backup_destinations[i].name;
    const bool behind = !progress[i].problem.empty() || !progress[i].until;
    if (!behind) {
      behind_since_[i].reset();
      if (!told_behind_[i]) continue;
      told_behind_[i] = false;
      (void)operations_.LogSystemEvent("backup.ended", "caught_up", name);
      continue;
    }
    if (!behind_since_[i]) behind_since_[i] = Clock::now();
    if (told_behind_[i] || Clock::now() - *behind_since_[i] < kBehindAfter) continue;
    told_behind_[i] = true;
    (void)operations_.LogSystemEvent("backup.ended", "behind", name);
    if (operations_.log()) {
      operations_.log()(Severity::kWarning,
                        "the backup destination " + name + " is behind: " + progress[i].problem);
    }
  }
}

void BackupRunner::Loop() {
  const std::chrono::milliseconds patience =
      options_.backup_increment_seconds > 0
          ? std::chrono::milliseconds(std::chrono::seconds(options_.backup_increment_seconds))
          : std::chrono::milliseconds(kLookAtCalendarEvery);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (std::exchange(woken_, false)) retry_.reset();
    lock.unlock();
    try {
      Tick();
    } catch (const std::bad_alloc&) {
      // All of it is tried again.
    }
    lock.lock();
    changed_.wait_for(lock, patience, [this] { return stopping_ || woken_; });
  }
}

}  // namespace coffer::vault
