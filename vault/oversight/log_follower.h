// Keeps the log's index behind the log, on a thread of its own. When the log grows faster, the
// index falls back rather than the requests: it takes at most a tenth of a core then.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "crypto/secret_bytes.h"
#include "vault/base/operator_log.h"
#include "vault/engine/log_store.h"
#include "vault/oversight/log_index.h"

namespace coffer::vault {

class LogFollower {
 public:
  struct Options {
    std::string index_path;
    std::uint32_t interval_ms = 1000;
    OperatorLog log;
  };
  // `reader` is a read-only connection of its own. Nothing is opened or made until Start().
  static Result<std::unique_ptr<LogFollower>> Create(Database reader,
                                                     const crypto::SecretBytes& key,
                                                     Options options);
  ~LogFollower();
  void Start();
  void Stop();
  // Entries before this one are in the index.
  std::uint64_t size() const { return size_.load(std::memory_order_acquire); }

 private:
  explicit LogFollower(const crypto::SecretBytes& key) : key_(key) {}
  void Loop();
  Result<std::uint64_t> Step(std::uint64_t limit);

  const crypto::SecretBytes& key_;
  Options options_;
  Database reader_;
  std::unique_ptr<LogStore> log_;
  std::unique_ptr<LogIndex> index_;
  bool reported_failure_ = false;
  std::atomic<std::uint64_t> size_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace coffer::vault
