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

#include "crypto/keyring.h"
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
  // `reader` is a read-only connection of its own. Nothing is opened or made until Start(). The
  // index lies under the newest vault-db key, and is made anew where that is exchanged.
  static Result<std::unique_ptr<LogFollower>> Create(Database reader,
                                                     const crypto::Keyring& keyring,
                                                     Options options);
  ~LogFollower();
  void Start();
  void Stop();
  // Entries before this one are in the index; 0 before it was made sure that it is of this log.
  std::uint64_t size() const { return size_.load(std::memory_order_acquire); }
  // How often it was begun anew under another key: what was opened before is of no use.
  std::uint32_t exchanges() const { return exchanges_.load(std::memory_order_acquire); }
  // The index lies under the newest key, or it is made anew at once.
  bool FollowsNewestKey();
  // Errors: those of LogIndexReader::Open.
  Result<std::unique_ptr<LogIndexReader>> OpenReader() const;

 private:
  explicit LogFollower(const crypto::Keyring& keyring) : keyring_(keyring) {}
  Result<crypto::SecretBytes> Key() const;
  void FollowKey();
  void Loop();
  Result<std::uint64_t> Step(std::uint64_t limit);

  const crypto::Keyring& keyring_;
  Options options_;
  Database reader_;
  std::unique_ptr<LogStore> log_;
  std::unique_ptr<LogIndex> index_;
  bool reported_failure_ = false;
  std::atomic<std::uint64_t> size_{0};
  std::atomic<std::uint32_t> exchanges_{0};
  mutable std::mutex key_mutex_;
  std::uint32_t key_version_ = 0;  // of the file, or of the next one
  bool opened_ = false;            // the file is there, under that key

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false, woken_ = false;
  std::thread thread_;
};

}  // namespace coffer::vault
