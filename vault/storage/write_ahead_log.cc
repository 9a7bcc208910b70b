#include "vault/storage/write_ahead_log.h"

#include <algorithm>

namespace coffer::vault {
namespace {

// A few milliseconds' work.
constexpr int kFramesAStep = 1000;
// Between two tries, and after one that the storage refused.
constexpr std::chrono::milliseconds kTryEvery{100};
constexpr std::chrono::milliseconds kTryAfterFailure{10'000};
constexpr std::chrono::hours kTellAgainAfter{1};

}  // namespace

void WriteAheadLog::Follow() {
  if (!database_.FollowWal(&frames_)) return;
  frames_ = copied_at_ = 0;
  if (changes_) FollowChanges();
}

void WriteAheadLog::FollowChanges() {
  changes_.emplace(database_.path() + "-wal");
  database_.BeforeCheckpoint([this] { changes_->Look(frames_); });
}

PageSet WriteAheadLog::TakeChanges() {
  if (!changes_) FollowChanges();
  changes_->Look(frames_);
  return changes_->Take();
}

Status WriteAheadLog::Step(bool idle) {
  gauge_.store(static_cast<std::uint64_t>(std::max(frames_, 0)), std::memory_order_relaxed);
  if (frames_ >= copied_at_ + kFramesAStep || (idle && frames_ > copied_at_)) COFFER_TRY(Copy());
  if (emptying() && Clock::now() - tried_ >= retry_after_) COFFER_TRY(Empty());
  return {};
}

Status WriteAheadLog::Copy() {
  const auto state = database_.Checkpoint(false);
  if (!state) {
    if (IsFsyncFailure(database_.ExtendedError())) return std::unexpected(state.error());
    WarnOf(words_.not_copied + state.error().detail, warned_not_copied_);
    copied_at_ = frames_;
    return {};
  }
  // Everything copied: the next commit starts it anew. Otherwise a long read holds the rest, and
  // the next try is one step later.
  const bool all = state->frames == state->checkpointed;
  copied_at_ = all ? 0 : frames_;
  if (all) frames_ = 0;
  return {};
}

Status WriteAheadLog::Empty() {
  tried_ = Clock::now();
  const auto emptied = database_.TruncateWal();
  if (!emptied) {
    if (IsFsyncFailure(database_.ExtendedError())) return std::unexpected(emptied.error());
    WarnOf(words_.not_emptied + emptied.error().detail, warned_not_emptied_);
  }
  retry_after_ = emptied ? kTryEvery : kTryAfterFailure;
  const bool done = emptied && *emptied;
  emptying_.store(!done, std::memory_order_relaxed);
  if (done) frames_ = copied_at_ = 0;
  return {};
}

// Not at each of the tries, of which there are many while the storage refuses.
void WriteAheadLog::WarnOf(const std::string& message, std::optional<Clock::time_point>& warned) {
  const auto now = Clock::now();
  if (warned && now - *warned < kTellAgainAfter) return;
  warned = now;
  warn_(message);
}

}  // namespace coffer::vault
