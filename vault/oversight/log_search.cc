#include "vault/oversight/log_search.h"

#include <algorithm>

#include "vault/oversight/log_page.h"
#include "vault/oversight/log_reader.h"

namespace coffer::vault {
namespace {

// One page looks at so many entries; a rarer match is found by following `next`.
constexpr std::uint64_t kLogScan = 25'000;

// Entries are canonical: a member and its value stand in the bytes in exactly one spelling, and the
// quotes of a string value are escaped, so finding the text is finding the member.
class EntryMatcher {
 public:
  explicit EntryMatcher(const LogFilter& filter) : from_(filter.from), to_(filter.to) {
    Want("client", filter.client);
    Want("record", filter.record);
    Want("actor", filter.actor);
    Want("action", filter.action);
    Want("class", filter.class_name);
    Want("purpose", filter.purpose);
    Want("decision", filter.decision);
    Want("request", filter.request);
    Want("outcome", filter.outcome);
    Want("rule", filter.rule);
    Want("address", filter.address);
    if (!filter.field.empty()) field_ = "\"" + filter.field + "\"";
  }

  bool Matches(std::string_view bytes) const {
    for (const auto& needle : needles_) {
      if (bytes.find(needle) == bytes.npos) return false;
    }
    if (!field_.empty() && !HasField(bytes)) return false;
    if (!from_ && !to_) return true;
    static constexpr std::string_view kTs = "\"ts\":\"";
    const auto at = bytes.rfind(kTs);
    if (at == bytes.npos) return false;
    const auto ts = audit::ParseTimestamp(bytes.substr(at + kTs.size(), 24));
    return ts && (!from_ || *ts >= *from_) && (!to_ || *ts < *to_);
  }

 private:
  void Want(std::string_view member, const std::string& value) {
    if (!value.empty()) {
      needles_.push_back("\"" + std::string(member) + "\":\"" + value + "\"");
    }
  }
  bool HasField(std::string_view bytes) const {
    static constexpr std::string_view kFields = "\"fields\":[";
    const auto at = bytes.find(kFields);
    if (at == bytes.npos) return false;
    const auto list = bytes.substr(at + kFields.size());
    return list.substr(0, list.find(']')).find(field_) != list.npos;
  }

  std::vector<std::string> needles_;
  std::string field_;
  std::optional<Timestamp> from_, to_;
};

// Fields and times are in no column.
bool AsksNothingOfIndex(const LogFilter& f) {
  return (f.client + f.record + f.actor + f.action + f.class_name + f.purpose + f.decision +
          f.request + f.outcome + f.rule + f.address)
      .empty();
}

// One page of the log: what the index has is found there, the rest by reading.
class LogSearch {
 public:
  LogSearch(LogReader& reader, const LogFilter& filter, const LogPageRequest& page, LogPage& result)
      : reader_(reader), filter_(filter), page_(page), matcher_(filter), result_(result) {}

  Status Run() {
    COFFER_ASSIGN(result_.size, reader_.log().Size());
    if (result_.size == 0) return {};
    if (auto bounded = Bound(); !bounded) {
      reader_.DropIndex();
      indexed_ = 0;
    }
    auto done = page_.oldest_first ? Upwards() : Downwards();
    if (done || !UsesIndex()) return done;
    // It could not be read after all: the entries can.
    reader_.DropIndex();
    indexed_ = low_ = 0;
    high_ = result_.size;
    result_.entries.clear();
    result_.seqs.clear();
    result_.next.reset();
    return page_.oldest_first ? Upwards() : Downwards();
  }

 private:
  bool IsFull() const { return result_.entries.size() >= page_.limit; }
  bool UsesIndex() const { return indexed_ > 0 && !AsksNothingOfIndex(filter_); }

  // [low_, high_) is what the times leave, as far as the index knows them.
  Status Bound() {
    high_ = result_.size;
    LogIndexReader* const index = reader_.index();
    if (index == nullptr) return {};
    COFFER_ASSIGN(indexed_, index->Size());
    indexed_ = std::min(indexed_, result_.size);
    if (filter_.from) {
      COFFER_ASSIGN(low_, index->FirstSince(*filter_.from));
    }
    if (filter_.to) {
      COFFER_ASSIGN(const auto end, index->FirstSince(*filter_.to));
      if (end < indexed_) high_ = end;
    }
    return {};
  }

  Status Upwards() {
    std::uint64_t at = std::max(page_.start.value_or(0), low_);
    if (UsesIndex() && at < std::min(indexed_, high_)) {
      COFFER_ASSIGN(const auto stopped, FromIndex(at, std::min(indexed_, high_)));
      at = stopped.value_or(std::min(indexed_, high_));
      if (stopped || IsFull()) return GoOnAt(at, at < high_);
    }
    const std::uint64_t end = std::min(high_, at + std::min(kLogScan, high_));
    while (at < end && !IsFull()) {
      // In steps, so that a full page stops soon.
      const std::uint64_t to = std::min<std::uint64_t>(end, at + 1000);
      COFFER_TRY(reader_.log().ReadEntries(
          at, to, [&](std::uint64_t seq, std::string_view bytes) -> Status {
            if (IsFull()) return {};
            Take(seq, bytes);
            at = seq + 1;
            return {};
          }));
      if (!IsFull()) at = to;
    }
    return GoOnAt(at, at < high_);
  }

  Status Downwards() {
    std::uint64_t above = high_;  // entries from here on are done with
    if (page_.start) above = std::min(above, *page_.start + 1);
    if (above <= low_) return {};
    const std::uint64_t floor = std::max(low_, UsesIndex() ? indexed_ : 0);
    std::uint64_t read = 0;
    if (above > floor) {
      COFFER_TRY(
          reader_.log().ReadBackwards(above - 1, [&](std::uint64_t seq, std::string_view bytes) {
            if (seq < floor || IsFull() || read == kLogScan) return false;
            ++read;
            Take(seq, bytes);
            above = seq;
            return true;
          }));
    }
    if (above > low_ && above <= floor && !IsFull()) {
      COFFER_ASSIGN(const auto stopped, FromIndex(low_, above));
      above = stopped.value_or(low_);
    }
    return GoOnAt(above - 1, above > low_);
  }

  // Where the index stopped short of the range's end; nothing when it did not.
  Result<std::optional<std::uint64_t>> FromIndex(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t read = 0; from < to && !IsFull() && read < kLogScan;) {
      const std::size_t wanted = page_.limit - result_.entries.size();
      COFFER_ASSIGN(const auto found,
                    reader_.index()->Find(filter_, from, to, page_.oldest_first, wanted));
      for (const std::uint64_t seq : found.seqs) {
        COFFER_ASSIGN(const auto bytes, reader_.log().ReadEntry(seq));
        if (bytes) Take(seq, *bytes);
      }
      if (found.stopped_at) return found.stopped_at;
      read += found.seqs.size();
      if (found.seqs.size() < wanted) return std::nullopt;
      // The page is full, or some of these had the columns but not the field.
      if (page_.oldest_first) {
        from = found.seqs.back() + 1;
      } else {
        to = found.seqs.back();
      }
    }
    return page_.oldest_first ? from : to;
  }

  void Take(std::uint64_t seq, std::string_view bytes) {
    if (!matcher_.Matches(bytes)) return;
    result_.entries.emplace_back(bytes);
    result_.seqs.push_back(seq);
  }

  Status GoOnAt(std::uint64_t seq, bool more) {
    if (more) result_.next = seq;
    return {};
  }

  LogReader& reader_;
  const LogFilter& filter_;
  const LogPageRequest& page_;
  const EntryMatcher matcher_;
  LogPage& result_;
  std::uint64_t low_ = 0, high_ = 0, indexed_ = 0;
};

}  // namespace

// Filter values are looked for as they are; anything that a canonical entry would escape cannot be
// part of one that we wrote.
bool IsPlain(std::string_view value) {
  return value.size() <= 200 && std::ranges::all_of(value, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  c == '.' || c == ':';
         });
}

Status SearchLog(LogReader& reader, const LogFilter& filter, const LogPageRequest& page,
                 LogPage& result) {
  return LogSearch(reader, filter, page, result).Run();
}

Result<std::optional<bool>> IsBehind(LogReader& reader, const LogFilter& filter,
                                     std::uint64_t from) {
  COFFER_ASSIGN(const std::uint64_t size, reader.log().Size());
  if (from >= size) return false;
  if (size - from > kLogScan) return std::nullopt;
  const EntryMatcher matcher(filter);
  bool found = false;
  COFFER_TRY(
      reader.log().ReadEntries(from, size, [&](std::uint64_t, std::string_view bytes) -> Status {
        found = found || matcher.Matches(bytes);
        return {};
      }));
  return found;
}

}  // namespace coffer::vault
