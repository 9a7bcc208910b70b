// The write-ahead log of a database: copied into its file in small steps, so that nobody waits long
// behind one, and emptied where what was erased stands in it as it was.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "crypto/result.h"
#include "vault/storage/page_changes.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// Of the thread that has the connection, but for what says otherwise. Waits for nobody: what a
// reader or another program holds is tried again.
class WriteAheadLog {
 public:
  using Warn = std::function<void(const std::string&)>;
  // How its warnings begin, of which there is one of each kind an hour at most.
  struct Words {
    std::string not_emptied, not_copied;
  };
  // `database` and what it is exchanged for outlive this.
  WriteAheadLog(Database& database, Words words, Warn warn)
      : database_(database), words_(std::move(words)), warn_(std::move(warn)) {}
  WriteAheadLog(const WriteAheadLog&) = delete;
  WriteAheadLog& operator=(const WriteAheadLog&) = delete;

  // Of the connection that the database has now.
  void Follow();
  // Copies when enough has come together, or some has and there is nothing else to do (`idle`);
  // tries again to empty. Errors, of this and of Empty: those of a failed fsync, after which
  // nothing may be acknowledged.
  Status Step(bool idle);
  Status Empty();

  // The pages that commits wrote since this was asked last; all of them the first time, and where
  // the connection is another.
  PageSet TakeChanges();

  // Any thread.
  std::uint64_t frames() const { return gauge_.load(std::memory_order_relaxed); }
  bool emptying() const { return emptying_.load(std::memory_order_relaxed); }

  std::chrono::milliseconds retry_after() const { return retry_after_; }

 private:
  using Clock = std::chrono::steady_clock;
  void FollowChanges();
  Status Copy();
  void WarnOf(const std::string& message, std::optional<Clock::time_point>& warned);

  Database& database_;
  const Words words_;
  const Warn warn_;
  std::optional<PageChanges> changes_;  // once they were asked for
  int frames_ = 0;
  int copied_at_ = 0;  // so many there were at the last copying that left some
  std::atomic<std::uint64_t> gauge_{0};
  std::atomic<bool> emptying_{false};
  Clock::time_point tried_;
  std::chrono::milliseconds retry_after_{};
  std::optional<Clock::time_point> warned_not_copied_, warned_not_emptied_;
};

}  // namespace coffer::vault
