// What the log says of one client or record: found by the log's index and, behind the index, by
// reading on. The index only tells where to look: what counts is the entry there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/secret_bytes.h"
#include "vault/engine/log_store.h"
#include "vault/oversight/log_index.h"
#include "vault/oversight/logged_object.h"

namespace coffer::vault {

// For one thread.
class ObjectLog {
 public:
  // `index_size`: how far whoever writes the index has come; 0 before it was made sure that it is
  // of this log.
  ObjectLog(LogStore& log, std::string index_path, const crypto::SecretBytes& key,
            std::function<std::uint64_t()> index_size)
      : log_(log),
        index_path_(std::move(index_path)),
        key_(key),
        index_size_(std::move(index_size)) {}

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
  const std::string index_path_;
  const crypto::SecretBytes& key_;
  const std::function<std::uint64_t()> index_size_;
  std::unique_ptr<LogIndexReader> index_;
  std::uint64_t indexed_ = 0;  // of the index, as it was opened or later
  std::uint64_t end_ = 0;
  // Changes by the entries [tail_from_, tail_to_), by object.
  std::uint64_t tail_from_ = 0, tail_to_ = 0;
  std::multimap<std::string, LoggedChange, std::less<>> tail_;
  std::map<std::string, bool, std::less<>> erased_;  // asked for lately, up to `end_`
};

}  // namespace coffer::vault
