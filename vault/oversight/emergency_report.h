// What an emergency access was used for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vault/access/emergency.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// What an emergency access was used for, as the log has it.
struct EmergencyUse {
  std::uint64_t seq = 0;
  Timestamp ts;
  std::string action, record, class_name, detail;
  std::uint64_t version = 0;
  std::vector<std::string> fields;
};

struct EmergencyReport {
  EmergencyAccess emergency;
  std::vector<EmergencyUse> uses;     // oldest first
  std::optional<std::uint64_t> next;  // where to go on, absent at the end
};

}  // namespace coffer::vault
