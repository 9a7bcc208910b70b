// What the log last said of each client and record, to be compared with what is stored.
//
// Kept in a scratch database, so that a verification takes the same memory whatever a vault holds:
// a file in the system's directory for temporary ones that has no name any more once it is open,
// sealed with a key that nobody ever writes down. Ids, versions and hashes of sealed bytes are all
// there is in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/entries/entry.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

class LoggedState {
 public:
  // In $TMPDIR, /var/tmp or /tmp, whichever can be written first. Errors: kUnavailable
  // "storage_unavailable". `cache_kib` is nearly all the memory that it takes.
  static Result<LoggedState> Create(int cache_kib = 32 * 1024);

  // To be called for each entry in order. Errors: kUnavailable, as when the disk is full.
  Status Take(const audit::Entry& entry);

  struct Version {
    std::uint64_t version = 0;
    crypto::Hash payload{};
    std::string client;
    std::uint64_t seq = 0;  // the entry that said so last
  };
  // Each is handed out once. A record's versions are those that must be stored, oldest first; none
  // when the log knows no such record.
  Result<std::optional<Version>> HandOutClient(std::string_view id);
  Result<std::vector<Version>> HandOutRecord(std::string_view id);

  // What was not handed out: clients, then records, at most `limit`.
  struct Left {
    bool is_client = false;
    std::string id;
    std::uint64_t seq = 0;
  };
  Result<std::vector<Left>> ListLeft(int limit);

 private:
  Status Prepare();
  Result<std::vector<Version>> HandOut(int kind, std::string_view id);

  Database database_;
  Statement put_, reseal_, forget_client_, forget_record_, find_, drop_, left_;
};

}  // namespace coffer::vault
