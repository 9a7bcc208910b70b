// Signs the log's head about once a second when it grew, and writes the anchor. Order: recompute
// the new leaves from the bytes read back, compare with the engine's root, sign, persist, write the
// anchor outside the database, publish. A smaller size is never signed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "vault/base/operator_log.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

class LogPublisher {
 public:
  struct Options {
    std::string anchor_path;
    std::uint32_t interval_ms = 1000;
    std::uint32_t heartbeat_s = 3600;
    OperatorLog log;
  };
  // `reader` is a read-only connection of its own. `anchor` is the one that was checked at start.
  static Result<std::unique_ptr<LogPublisher>> Create(Engine& engine,
                                                      const crypto::Keyring& keyring,
                                                      Database reader, audit::Anchor anchor,
                                                      Options options);
  ~LogPublisher();
  void Start();
  void Stop();  // ends the thread; does not publish
  // Signs and publishes the head as it is now, if it grew (or regardless, as a heartbeat).
  Status Publish(bool heartbeat);
  std::string published() const;  // the last published note
  std::uint64_t published_size() const;
  bool healthy() const;  // false after the log read back did not match

 private:
  LogPublisher(Engine& engine, const crypto::Keyring& keyring)
      : engine_(engine), keyring_(keyring) {}
  void Loop();

  Engine& engine_;
  const crypto::Keyring& keyring_;
  Options options_;
  Database reader_;
  std::unique_ptr<LogStore> log_;
  std::mutex publishing_;  // one at a time
  audit::Frontier frontier_;
  audit::Anchor anchor_;
  bool reported_failure_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string published_;
  std::uint64_t published_size_ = 0;
  bool mismatch_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace coffer::vault
