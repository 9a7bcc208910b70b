// What the log says of one client or record: found by the log's index and, behind the index, by
// reading on. The index only tells where to look: what counts is the entry there.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vault/engine/log_store.h"
#include "vault/oversight/log_follower.h"
#include "vault/oversight/log_index.h"
#include "vault/oversight/logged_object.h"

namespace coffer::vault {

// For one thread.
class ObjectLog {
 public:
  // Outlived by who writes the index.
  ObjectLog(LogStore& log, const LogFollower& follower) : log_(log), follower_(follower) {}

  // Whether entries before `end` can be told of: false while the index is too far behind.
  Result<bool> CatchUp(std::uint64_t end);
  // The changes of it by entries before that `end`, oldest first; of a client with its erasure.
  Result<std::vector<LoggedChange>> ChangesOfClient(std::string_view id);
  Result<std::vector<LoggedChange>> ChangesOfRecord(std::string_view id);
  Result<bool> IsErased(std::string_view client);

 private:
  Result<std::vector<LoggedChange>> Changes(bool of_record, std::string_view id);
  Status ReadTail(std::uint64_t from, std::uint64_t to);

  LogStore& log_;
  const LogFollower& follower_;
  std::unique_ptr<LogIndexReader> index_;
  std::uint32_t exchanges_ = 0;  // LogFollower's, of the index
  std::uint64_t indexed_ = 0;    // of the index, as it was opened or later
  std::uint64_t end_ = 0;
  // Changes by the entries [tail_from_, tail_to_), by object.
  std::uint64_t tail_from_ = 0, tail_to_ = 0;
  std::multimap<std::string, LoggedChange, std::less<>> tail_;
  std::map<std::string, bool, std::less<>> erased_;  // asked for lately, up to `end_`
};

}  // namespace coffer::vault
