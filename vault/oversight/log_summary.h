// Entries of the access log, counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vault/base/timestamp.h"
#include "vault/oversight/log_page.h"

namespace coffer::vault {

// Entries counted in buckets of time (UTC), for each value of a member: "" where it is absent.
struct LogSummaryRequest {
  LogFilter filter;
  std::string by = "action";  // action, actor, decision, outcome, rule, class, purpose or address
  bool daily = false;         // else hourly
};

struct LogCount {
  Timestamp from;  // of the bucket
  std::string value;
  std::uint64_t count = 0;  // of entries: of one request its own and those of what it disclosed
  // How many different ones these entries name.
  std::uint64_t requests = 0, records = 0, clients = 0;
};

struct LogSummary {
  std::vector<LogCount> counts;  // by time, then value; at most 10,000
  std::uint64_t size = 0;        // entries before this one are counted
};

}  // namespace coffer::vault
