#include "vault/backup/backup_runner.h"

#include <algorithm>
#include <new>
#include <utility>

namespace coffer::vault {
namespace {

constexpr std::chrono::seconds kRetryAfter{30}, kRetryAtMostAfter{600};
// Where one has its copy, and each try makes another for it: of the keys, where that of the data
// finds no room.
constexpr std::chrono::seconds kCopyAgainAtMostAfter{3600};
constexpr std::chrono::seconds kPatienceOfAsker{10};
constexpr std::chrono::seconds kPatienceAtStop{10};
constexpr std::chrono::seconds kLookAtCalendarEvery{10};
constexpr std::chrono::minutes kBehindAfter{1};
constexpr std::int64_t kBehindMinuteMs = 60'000, kCalendarHourMs = 60 * kBehindMinuteMs;

// What became of it, as its entry says: the generation, then each destination.
std::string DetailOfRun(const BackupRun& run) {
  std::string detail = run.generation;
  for (const auto& destination : run.destinations) {
    detail.append(detail.empty() ? "" : " ").append(destination.copied ? "" : "not:");
    detail += destination.name;
  }
  return detail;
}

// By name and reason: what a detail names may be another file each time.
std::string ProblemsOf(const BackupRun& run) {
  std::string problems;
  for (const auto& destination : run.destinations) {
    if (destination.problem.empty()) continue;
    problems += destination.name + " " +
                destination.problem.substr(0, destination.problem.find(':')) + "\n";
  }
  return problems;
}

}  // namespace

BackupRunner::~BackupRunner() {
  Interrupt();
  if (thread_.joinable()) thread_.join();
}

void BackupRunner::Start() {
  if (const auto loaded = history_.Load(operations_, options_); !loaded && operations_.log()) {
    operations_.log()(Severity::kWarning, "what is known of the last drills cannot be read: " +
                                              InWords(loaded.error()));
  }
  if (options_.backup_destinations.empty()) return;
  behind_since_.resize(options_.backup_destinations.size());
  told_behind_.resize(options_.backup_destinations.size());
  thread_ = std::thread([this] { Loop(); });
}

void BackupRunner::Interrupt() {
  writer_.Stop();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void BackupRunner::Stop() {
  Interrupt();
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatienceAtStop, [this] { return ended_; })) return;
  }
  thread_.join();
}

void BackupRunner::Finish() {
  if (options_.backup_increment_seconds == 0) return;
  const auto warn = [this](const std::string& why) {
    if (operations_.log()) {
      operations_.log()(Severity::kWarning, "the last increment of the backup is not made: " + why);
    }
  };
  if (thread_.joinable()) {
    warn("a destination does not answer");
    return;
  }
  writer_.Resume(kPatienceAtStop);
  const auto written = MakeIncrements();
  writer_.Stop();
  if (!written) warn(InWords(written.error()));
  const auto progress = writer_.Progress();
  for (std::size_t i = 0; i < progress.size(); ++i) {
    if (progress[i].problem.empty() || !progress[i].generation) continue;
    warn(options_.backup_destinations[i].name + ": " + progress[i].problem);
  }
}

BackupStanding BackupRunner::Standing() const {
  BackupStanding standing;
  const auto earlier = [](std::optional<Timestamp> one, std::optional<Timestamp> other) {
    return one && other ? std::optional(std::min(*one, *other)) : std::nullopt;
  };
  // Of an opening in which nothing was written yet, what was found at its beginning.
  const std::int64_t newest = newest_ms_;
  const auto found = newest > 0 ? std::optional(Timestamp{newest}) : std::nullopt;
  const auto all = writer_.Progress();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const DestinationProgress& progress = all[i];
    const auto generation = progress.generation ? progress.generation : found;
    const auto until = options_.backup_increment_seconds > 0 ? progress.until : generation;
    standing.until = standing.destinations == 0 ? until : earlier(standing.until, until);
    standing.generation =
        standing.destinations == 0 ? generation : earlier(standing.generation, generation);
    ++standing.destinations;
    const bool damaged = history_.Damaged(options_.backup_destinations[i].name).has_value();
    if (damaged || !progress.AnyProblem().empty()) ++standing.with_problem;
  }
  AddShown(standing);
  return standing;
}

// What is there by now, or was when the vault was opened.
std::vector<CopyState> BackupRunner::Copies() const {
  std::vector<CopyState> copies;
  {
    const std::lock_guard lock(found_mutex_);
    copies = found_;
  }
  const auto all = writer_.Progress();
  copies.resize(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const DestinationProgress& progress = all[i];
    if (progress.generation) copies[i] = {true, std::max(progress.generation, progress.until)};
    const bool damaged = history_.Damaged(options_.backup_destinations[i].name).has_value();
    if (!progress.problem.empty() || damaged) copies[i].usable = false;
  }
  return copies;
}

void BackupRunner::AddShown(BackupStanding& standing) const {
  constexpr std::int64_t kDayOfDrillsMs = 24 * kCalendarHourMs;
  const Timestamp now = operations_.Now();
  const auto copies = Copies();
  standing.data = JudgeCopies(options_, BackupKind::kData, copies, now);
  standing.keys = JudgeCopies(options_, BackupKind::kKeys, copies, now);
  for (const auto& drill : history_.Drills()) {
    if (!drill.good()) standing.drill_failed = true;
    if (drill.good()) standing.drilled = drill.report.finished;
  }
  const std::int64_t asked = options_.backup_drill_days * kDayOfDrillsMs;
  standing.drill_overdue =
      asked > 0 && (!standing.drilled || now.ms - standing.drilled->ms > asked);
  for (std::size_t i = 0; i < options_.backup_destinations.size(); ++i) {
    const auto verified = history_.Verified(options_.backup_destinations[i].name);
    standing.verified = i == 0 ? verified
                        : standing.verified && verified
                            ? std::optional(std::min(*standing.verified, *verified))
                            : std::nullopt;
  }
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

Result<BackupRun> BackupRunner::MakeGeneration() {
  const struct Claimed {
    ~Claimed() { asked = false; }
    std::atomic<bool>& asked;
  } claimed{asked_};
  return Generate(false, true);
}

Result<std::vector<DestinationPrune>> BackupRunner::Prune(const std::string& name, bool dry) {
  const std::unique_lock writing(writing_, kPatienceOfAsker);
  if (!writing) return Fail(Code::kConflict, "backup_running");
  auto pruned = writer_.PruneNow(name, dry);
  if (dry) return pruned;
  if (!pruned) {
    COFFER_TRY(operations_.LogSystemEvent("backup.ended", pruned.error().reason, "prune"));
    return pruned;
  }
  std::string detail = "prune";
  bool complete = true;
  for (const auto& one : *pruned) {
    complete = complete && one.problem.empty();
    detail += " " + one.name + ":" + std::to_string(one.removed.size());
  }
  COFFER_TRY(operations_.LogSystemEvent("backup.ended", complete ? "ok" : "incomplete", detail));
  return pruned;
}

Result<BackupRun> BackupRunner::Generate(bool lacking, bool asked) {
  const std::lock_guard writing(writing_);
  Result<BackupRun> run;
  try {
    run = writer_.WriteGeneration(lacking);
  } catch (const std::bad_alloc&) {
    run = Fail(Code::kUnavailable, kNoMemory);
  }
  // What only some lacked moves nobody's calendar.
  if (!lacking && run && run->copied()) newest_ms_ = operations_.Now().ms;
  // The same failure again, each half minute, is told once.
  const std::string failed = run ? ProblemsOf(*run) : std::string(run.error().reason);
  const bool told = !asked && !failed.empty() && failed == failed_ && !(run && run->copied());
  failed_ = failed;
  if (told) return run;
  Warn(run);
  if (!run) {
    COFFER_TRY(operations_.LogSystemEvent("backup.ended", run.error().reason));
    return run;
  }
  COFFER_TRY(operations_.LogSystemEvent("backup.ended", run->complete() ? "ok" : "incomplete",
                                        DetailOfRun(*run)));
  return run;
}

// The log's entry names who has a problem, and the journal which.
void BackupRunner::Warn(const Result<BackupRun>& run) const {
  if (!operations_.log()) return;
  if (!run) {
    operations_.log()(Severity::kWarning, "no backup was made: " + InWords(run.error()));
    return;
  }
  for (const auto& destination : run->destinations) {
    if (destination.problem.empty()) continue;
    operations_.log()(Severity::kWarning,
                      "the backup destination " + destination.name + ": " + destination.problem);
  }
}

// By what the destinations have: the one that has the oldest is behind. What cannot be used is
// tried, and says why.
void BackupRunner::FindNewest() {
  std::optional<std::int64_t> oldest;
  std::vector<CopyState> found;
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
    found.push_back({newest.has_value(),
                     newest.value_or(0) > 0 ? std::optional(Timestamp{*newest}) : std::nullopt});
  }
  {
    const std::lock_guard lock(found_mutex_);
    found_ = std::move(found);
  }
  newest_ms_ = oldest.value_or(0);
}

bool BackupRunner::IsDue(bool& lacking) const {
  if (retry_ && Clock::now() < *retry_) return false;
  lacking = false;
  const std::int64_t every = options_.backup_every_hours * kCalendarHourMs;
  // Also when the clock was put back.
  if (every > 0 && std::abs(operations_.Now().ms - newest_ms_) >= every) return true;
  lacking = true;
  return writer_.NeedsGeneration();
}

void BackupRunner::Tick() {
  bool lacking = false;
  if (IsDue(lacking)) {
    const auto run = Generate(lacking, false);
    if (run && run->complete()) {
      retry_.reset();
      retry_after_ = kRetryAfter;
    } else {
      retry_ = Clock::now() + retry_after_;
      retry_after_ = std::min(2 * retry_after_,
                              run && run->copied() ? kCopyAgainAtMostAfter : kRetryAtMostAfter);
    }
  }
  if (options_.backup_increment_seconds == 0) return;
  (void)MakeIncrements();  // whose progress has what failed
  TellOfBehind();
}

// A destination that has been behind for a minute, and one that no longer is.
void BackupRunner::TellOfBehind() {
  const auto progress = writer_.Progress();
  for (std::size_t i = 0; i < progress.size(); ++i) {
    const std::string& name = options_.backup_destinations[i].name;
    const std::int64_t late = kBehindMinuteMs + 2000 * options_.backup_increment_seconds;
    const bool behind = !progress[i].problem.empty() || !progress[i].until ||
                        operations_.Now().ms - progress[i].until->ms > late;
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
  const bool by_itself = options_.backup_every_hours > 0 || options_.backup_increment_seconds > 0;
  const std::chrono::milliseconds patience =
      options_.backup_increment_seconds > 0
          ? std::chrono::milliseconds(std::chrono::seconds(options_.backup_increment_seconds))
          : std::chrono::milliseconds(kLookAtCalendarEvery);
  try {
    FindNewest();
  } catch (const std::bad_alloc&) {
    // As if there were none: one is made.
  }
  std::unique_lock lock(mutex_);
  while (by_itself && !stopping_) {
    if (std::exchange(woken_, false)) {
      retry_.reset();
      retry_after_ = kRetryAfter;
    }
    lock.unlock();
    try {
      Tick();
    } catch (const std::bad_alloc&) {
      // All of it is tried again.
    }
    lock.lock();
    changed_.wait_for(lock, patience, [this] { return stopping_ || woken_; });
  }
  ended_ = true;
  changed_.notify_all();
}

}  // namespace coffer::vault
