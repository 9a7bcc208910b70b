// What vault.db says, beside the log itself, of how long the log was: a log that ends before that
// was cut, or put back to an earlier state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vault/storage/sqlite.h"

namespace coffer::vault {

struct LogClaim {
  std::string place;       // in words
  std::uint64_t size = 0;  // the log had so many entries at least
};

class LogClaimStore {
 public:
  static Result<LogClaimStore> Open(const Database& database);
  // Of the newest rows: each place names entries that grow with its rows.
  Result<std::vector<LogClaim>> Load();
  // Acts of the newest erasures, which hold a signed checkpoint each.
  Result<std::vector<std::string>> LoadActs();

 private:
  Statement claims_, acts_;
};

}  // namespace coffer::vault
