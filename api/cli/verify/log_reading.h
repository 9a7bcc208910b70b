// Showing and following the access log.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "api/cli/client/api_client.h"
#include "api/cli/client/log_query.h"
#include "api/cli/text/console.h"

namespace coffer::cli {

enum class LogForm { kTable, kJson, kCsv };  // kJson: the exact bytes of the entries

struct LogReadingOptions {
  LogFilterOptions filter;
  std::size_t limit = 50;
  bool oldest_first = false;
  bool follow = false;
  LogForm form = LogForm::kTable;
  std::chrono::milliseconds pause{1000};  // between looks, when following
  std::function<bool()> goes_on;          // for tests; empty: for ever
};

// Prints matching entries: the newest `limit`, newest first; or, oldest first, from the beginning
// of the log or the time asked for. Says that there are more, and that there is none.
Outcome<void> ShowLog(ApiClient& client, const LogReadingOptions& options, Console& console);

// Prints the newest `limit` in the order of the log, then each new one as it comes, until the
// output is closed. Leaves out the entries that the following itself causes, which would feed it
// for ever.
Outcome<void> FollowLog(ApiClient& client, const LogReadingOptions& options, Console& console);

}  // namespace coffer::cli
