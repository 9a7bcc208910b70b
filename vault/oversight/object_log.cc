#include "vault/oversight/object_log.h"

#include <algorithm>

namespace coffer::vault {
namespace {

// Entries that are read one by one, in the place of the index: about a second's work, once.
constexpr std::uint64_t kMaxTail = 32'768;
constexpr std::size_t kMaxErased = 1000;

}  // namespace

Result<bool> ObjectLog::CatchUp(std::uint64_t end) {
  if (end != end_) erased_.clear();
  end_ = end;
  const std::uint64_t known = follower_.size();
  // Made anew meanwhile: what is open is no file any more.
  const std::uint32_t exchanges = follower_.exchanges();
  if (known < indexed_ || exchanges != exchanges_) index_.reset();
  exchanges_ = exchanges;
  if (!index_ && known > 0) {
    auto opened = follower_.OpenReader();
    if (!opened && opened.error().reason != "index_missing") {
      return std::unexpected(std::move(opened).error());
    }
    if (opened) index_ = *std::move(opened);
  }
  indexed_ = 0;
  if (index_) {
    auto size = index_->Size();
    if (!size) {
      index_.reset();
      return std::unexpected(std::move(size).error());
    }
    indexed_ = std::min(known, *size);
  }
  const std::uint64_t from = std::min(indexed_, end);
  if (end - from > kMaxTail) {
    index_.reset();
    return false;
  }
  // What the index has by now is not kept twice for long.
  const bool follows = tail_from_ <= from && from <= tail_to_ && from - tail_from_ < kMaxTail;
  if (!follows) {
    tail_.clear();
    tail_from_ = tail_to_ = from;
  }
  if (tail_to_ < end) COFFER_TRY(ReadTail(tail_to_, end));
  return true;
}

Status ObjectLog::ReadTail(std::uint64_t from, std::uint64_t to) {
  decltype(tail_) read;  // all of it or nothing: a second reading must not double it
  COFFER_TRY(log_.ReadEntries(from, to, [&](std::uint64_t, std::string_view bytes) -> Status {
    const auto entry = audit::ParseEntry(bytes);
    if (!entry) return {};  // damage, which the log's own check names
    auto change = LoggedChangeOf(*entry);
    if (change.change == ObjectChange::kNone) return {};
    std::string id = change.record.empty() ? change.client : change.record;
    read.emplace(std::move(id), std::move(change));
    return {};
  }));
  tail_.merge(read);
  tail_to_ = to;
  return {};
}

Result<std::vector<LoggedChange>> ObjectLog::Changes(bool of_record, std::string_view id) {
  std::vector<LoggedChange> changes;
  if (index_) {
    auto seqs = index_->FindChanges(of_record, id, std::min(indexed_, end_));
    if (!seqs) {
      index_.reset();
      return std::unexpected(std::move(seqs).error());
    }
    for (const std::uint64_t seq : *seqs) {
      COFFER_ASSIGN(const auto bytes, log_.ReadEntry(seq));
      const auto entry = audit::ParseEntry(bytes.value_or(""));
      if (!entry) continue;
      auto change = LoggedChangeOf(*entry);
      if (change.change == ObjectChange::kNone) continue;
      if (of_record == change.record.empty()) continue;
      if ((of_record ? change.record : change.client) == id) changes.push_back(std::move(change));
    }
  }
  const auto [first, last] = tail_.equal_range(id);
  for (auto at = first; at != last; ++at) {
    if (at->second.seq >= indexed_ && at->second.seq < end_) changes.push_back(at->second);
  }
  return changes;
}

Result<std::vector<LoggedChange>> ObjectLog::ChangesOfClient(std::string_view id) {
  return Changes(false, id);
}

Result<std::vector<LoggedChange>> ObjectLog::ChangesOfRecord(std::string_view id) {
  return Changes(true, id);
}

Result<bool> ObjectLog::IsErased(std::string_view client) {
  if (const auto known = erased_.find(client); known != erased_.end()) return known->second;
  COFFER_ASSIGN(const auto changes, Changes(false, client));
  const bool erased = std::ranges::any_of(
      changes, [](const LoggedChange& change) { return change.change == ObjectChange::kGone; });
  if (erased_.size() >= kMaxErased) erased_.clear();
  erased_.emplace(client, erased);
  return erased;
}

}  // namespace coffer::vault
