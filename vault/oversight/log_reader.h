// Reading the access log beside the engine, with its index where there is one yet.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "vault/engine/snapshot_reader.h"
#include "vault/oversight/log_follower.h"
#include "vault/oversight/log_index.h"

namespace coffer::vault {

class LogReader;

class LogReaders {
 public:
  // All must outlive it.
  LogReaders(SnapshotReaders& snapshots, const LogFollower& follower)
      : snapshots_(snapshots), follower_(follower) {}
  // Errors: those of SnapshotReaders, as a long read; those of opening the index.
  Result<std::unique_ptr<LogReader>> Open();

 private:
  friend class LogReader;
  SnapshotReaders& snapshots_;
  const LogFollower& follower_;
  std::mutex idle_mutex_;
  std::vector<std::unique_ptr<LogIndexReader>> idle_;  // all of the same file
  std::uint32_t exchanges_ = 0;                        // LogFollower's, of them
};

class LogReader {
 public:
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;
  LogStore& log() { return snapshot_->log(); }
  Database& database() { return snapshot_->database(); }
  LogIndexReader* index() { return index_.get(); }
  void DropIndex() { index_.reset(); }  // it cannot be read

 private:
  friend class LogReaders;
  LogReader(LogReaders& readers, std::unique_ptr<SnapshotReader> snapshot)
      : readers_(readers), snapshot_(std::move(snapshot)) {}

  LogReaders& readers_;
  std::unique_ptr<SnapshotReader> snapshot_;
  std::unique_ptr<LogIndexReader> index_;
  std::uint32_t exchanges_ = 0;  // of the index
};

}  // namespace coffer::vault
