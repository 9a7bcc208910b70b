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
                                                         const crypto::Keyring& keyring,
                                                         Options options) {
  std::unique_ptr<LogFollower> follower(new LogFollower(keyring));
  follower->key_version_ = keyring.vault_db_keys().newest();
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

Result<crypto::SecretBytes> LogFollower::Key() const {
  auto key = keyring_.vault_db_keys().Find(key_version_);
  if (!key) return Fail(Code::kNotFound, "index_missing", "its key was just exchanged");
  return *std::move(key);
}

Result<std::unique_ptr<LogIndexReader>> LogFollower::OpenReader() const {
  const std::lock_guard lock(key_mutex_);
  COFFER_ASSIGN(const auto key, Key());
  return LogIndexReader::Open(options_.index_path, key);
}

bool LogFollower::FollowsNewestKey() {
  {
    const std::lock_guard lock(key_mutex_);
    if (opened_ && key_version_ == keyring_.vault_db_keys().newest()) return true;
  }
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
  return false;
}

void LogFollower::FollowKey() {
  const std::uint32_t newest = keyring_.vault_db_keys().newest();
  const std::lock_guard lock(key_mutex_);
  if (key_version_ == newest) return;
  key_version_ = newest;
  opened_ = false;
  size_.store(0, std::memory_order_release);
  exchanges_.fetch_add(1, std::memory_order_release);
  index_.reset();
  LogIndex::Remove(options_.index_path);
}

Result<std::uint64_t> LogFollower::Step(std::uint64_t limit) {
  FollowKey();
  COFFER_ASSIGN(const auto key, Key());
  if (!index_) {
    COFFER_ASSIGN(index_, LogIndex::Open(options_.index_path, key, *log_));
    const std::lock_guard lock(key_mutex_);
    opened_ = true;
  }
  auto taken = index_->Follow(*log_, limit);
  if (!taken) {
    if (taken.error().code == Code::kCorrupted) {
      index_.reset();
      LogIndex::Remove(options_.index_path);
    } else if (auto again = LogIndex::Open(options_.index_path, key, *log_)) {
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
      changed_.wait_for(lock, rest, [this] { return stopping_ || woken_; });
      if (stopping_) return;
      woken_ = false;
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
