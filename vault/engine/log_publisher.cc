#include "vault/engine/log_publisher.h"

#include <chrono>
#include <new>

#include "audit/entries/log_reader.h"
#include "crypto/atomic_file.h"
#include "vault/base/operator_log.h"
#include "vault/engine/log_keys.h"

namespace coffer::vault {

Result<std::unique_ptr<LogPublisher>> LogPublisher::Create(Engine& engine,
                                                           const crypto::Keyring& keyring,
                                                           Database reader, audit::Anchor anchor,
                                                           Options options) {
  std::unique_ptr<LogPublisher> publisher(new LogPublisher(engine, keyring));
  publisher->options_ = std::move(options);
  publisher->reader_ = std::move(reader);
  COFFER_ASSIGN(publisher->log_, LogStore::Open(publisher->reader_));
  COFFER_ASSIGN(auto head, audit::LoadHead(*publisher->log_));
  publisher->frontier_ = std::move(head.frontier);
  publisher->published_ = anchor.note;
  publisher->anchor_ = std::move(anchor);
  return publisher;
}

LogPublisher::~LogPublisher() { Stop(); }

void LogPublisher::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void LogPublisher::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LogPublisher::Loop() {
  using Clock = std::chrono::steady_clock;
  auto heartbeat_due = Clock::now() + std::chrono::seconds(options_.heartbeat_s);
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, std::chrono::milliseconds(options_.interval_ms),
                            [this] { return stopping_; })) {
        return;
      }
    }
    const bool heartbeat = Clock::now() >= heartbeat_due;
    if (heartbeat) heartbeat_due = Clock::now() + std::chrono::seconds(options_.heartbeat_s);
    try {
      const auto done = Publish(heartbeat);
      if (!done && !std::exchange(reported_failure_, true) && options_.log) {
        options_.log(Severity::kError, "no checkpoint could be published: " + done.error().detail);
      }
      if (done) reported_failure_ = false;
    } catch (const std::bad_alloc&) {
      // What was read is kept, and read on from the next time.
    }
  }
}

Status LogPublisher::Publish(bool heartbeat) {
  const std::lock_guard publishing(publishing_);
  reader_.FollowNow();
  audit::Checkpoint head{keyring_.log_origin(), 0, {}};
  std::vector<crypto::Keyring::LogKey> keys;
  audit::Entry none;
  COFFER_TRY(
      engine_.Run(OperationKind::kRead, EntryRule::kNever, none, [&](Transaction&) -> Status {
        keys = keyring_.log_keys();
        head.size = engine_.HeadInTransaction().size;
        head.root = engine_.HeadInTransaction().frontier.Root();
        return {};
      }));
  const bool grew = head.size > published_size();
  if (!grew && !heartbeat) return {};

  auto read = log_->ReadEntries(
      frontier_.size(), head.size, [&](std::uint64_t seq, std::string_view bytes) -> Status {
        if (seq != frontier_.size()) {
          return Fail(Code::kCorrupted, "log_gap",
                      "entry " + std::to_string(frontier_.size()) + " is missing from the log");
        }
        frontier_.Append(audit::LeafHash(crypto::AsBytes(bytes)));
        return {};
      });
  if (read && (frontier_.size() != head.size || frontier_.Root() != head.root)) {
    read = Fail(Code::kCorrupted, "log_mismatch",
                "the log read back is not the log that was written: nothing is signed");
  }
  if (!read) {
    const std::lock_guard lock(mutex_);
    mismatch_ = mismatch_ || read.error().code == Code::kCorrupted;
    return read;
  }

  audit::Anchor anchor{anchor_.counter + 1, SignHead(head, keys)};
  COFFER_TRY(
      engine_.Run(OperationKind::kWrite, EntryRule::kNever, none, [&](Transaction& transaction) {
        return transaction.stores().log->PutCheckpoint(anchor.note);
      }));
  COFFER_TRY(crypto::WriteFileAtomically(options_.anchor_path,
                                         crypto::AsBytes(audit::FormatAnchor(anchor))));
  anchor_ = anchor;
  const std::lock_guard lock(mutex_);
  published_ = std::move(anchor.note);
  published_size_ = head.size;
  return {};
}

std::string LogPublisher::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

std::uint64_t LogPublisher::published_size() const {
  const std::lock_guard lock(mutex_);
  return published_size_;
}

bool LogPublisher::healthy() const {
  const std::lock_guard lock(mutex_);
  return !mismatch_;
}

}  // namespace coffer::vault
