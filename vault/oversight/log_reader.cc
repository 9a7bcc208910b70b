#include "vault/oversight/log_reader.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxIdleIndexes = 12;

}  // namespace

Result<std::unique_ptr<LogReader>> LogReaders::Open() {
  COFFER_ASSIGN(auto snapshot, snapshots_.Open());
  std::unique_ptr<LogReader> taken(new LogReader(*this, std::move(snapshot)));
  taken->exchanges_ = follower_.exchanges();
  {
    const std::lock_guard lock(idle_mutex_);
    if (exchanges_ != taken->exchanges_) idle_.clear();
    exchanges_ = taken->exchanges_;
    if (!idle_.empty()) {
      taken->index_ = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!taken->index_ && follower_.size() > 0) {
    auto opened = follower_.OpenReader();
    if (!opened && opened.error().reason != "index_missing") {
      return std::unexpected(std::move(opened).error());
    }
    if (opened) taken->index_ = *std::move(opened);
  }
  return taken;
}

LogReader::~LogReader() {
  if (!index_) return;
  const std::lock_guard lock(readers_.idle_mutex_);
  if (exchanges_ != readers_.exchanges_) return;
  if (readers_.idle_.size() < kMaxIdleIndexes) readers_.idle_.push_back(std::move(index_));
}

}  // namespace coffer::vault
