// Where something of a client could be.
#pragma once

#include <cstdint>
#include <string>

namespace coffer::vault {

// One place that could hold something of a client.
struct Trace {
  std::string place;  // "records", "old-versions", "notes", "key", "log", "acts", ...
  std::string state;  // "present", "absent", "pseudonymous", "unreadable", "unknown"
  std::uint64_t count = 0;
  std::string detail;  // in words; never a value
};

}  // namespace coffer::vault
