#include "vault/oversight/log_follower.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <new>

#include "vault/base/operator_log.h"

namespace coffer::vault {
namespace {

constexpr std::uint64_t kStep = 2000;
// While there is more to take.
constexpr int kRestPerWork = 9;
constexpr int kRestPerWorkWhenQuiet = 1;  // nothing is logged: nobody waits
constexpr int kNice = 10;

}  // namespace

Result<std::unique_ptr<LogFollower>> LogFollower::Create(Database reader,
                                                         const crypto::SecretBytes& key,
                                                         Options options) {
  std::unique_ptr<LogFollower> follower(new LogFollower(key));
  follower->options_ = std::move(options);
  follower->reader_ = std::move(reader);
  COFFER_ASSIGN(follower->log_, LogStore::Open(follower->reader_));
  return follower;
}

LogFollower::~LogFollower() { Stop(); }

void LogFollower::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void LogFollower::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<std::uint64_t> LogFollower::Step(std::uint64_t limit) {
  if (!index_) {
    COFFER_ASSIGN(index_, LogIndex::Open(options_.index_path, key_, *log_));
  }
  auto taken = index_->Follow(*log_, limit);
  if (!taken) {
    if (taken.error().code == Code::kCorrupted) {
      index_.reset();
      LogIndex::Remove(options_.index_path);
    } else if (auto again = LogIndex::Open(options_.index_path, key_, *log_)) {
      index_ = *std::move(again);  // as it is stored; opened before the other one is closed
    } else {
      index_.reset();
    }
    return taken;
  }
  size_.store(index_->size(), std::memory_order_release);
  return taken;
}

void LogFollower::Loop() {
  using Clock = std::chrono::steady_clock;
  // Of this thread alone, as Linux has it; without effect elsewhere.
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
  auto rest = std::chrono::nanoseconds(0);
  std::uint64_t logged = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, rest, [this] { return stopping_; })) return;
    }
    try {
      const auto began = Clock::now();
      auto taken = Step(kStep);
      if (!taken && taken.error().code == Code::kCorrupted) taken = Step(kStep);  // made anew
      rest = std::chrono::milliseconds(options_.interval_ms);
      if (taken && *taken == kStep) {
        const std::uint64_t size = log_->Size().value_or(logged + 1);
        const bool quiet = std::exchange(logged, size) == size;
        rest = std::min<std::chrono::nanoseconds>(
            rest, (Clock::now() - began) * (quiet ? kRestPerWorkWhenQuiet : kRestPerWork));
      }
      if (!taken && !std::exchange(reported_failure_, true) && options_.log) {
        options_.log(Severity::kWarning, "the log's index is not kept: " + taken.error().detail +
                                             "; searching the log is slow meanwhile");
      }
      if (taken) reported_failure_ = false;
    } catch (const std::bad_alloc&) {
      // As it is stored, the next time.
      index_.reset();
      rest = std::chrono::milliseconds(options_.interval_ms);
    }
  }
}

}  // namespace coffer::vault
