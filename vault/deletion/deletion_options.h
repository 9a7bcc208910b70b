// What the operator decided about deletion.
#pragma once

#include <cstdint>
#include <optional>

#include "audit/documents/erasure_act.h"

namespace coffer::vault {

using audit::OperatorDetails;

struct DeletionOptions {
  OperatorDetails operator_details;
  std::optional<std::uint32_t> retention_minute;     // of the UTC day, at which a run starts
  std::uint32_t retention_records_per_s = 2000;      // while requests are served
  std::uint32_t clock_jump_threshold_s = 48 * 3600;  // beyond which deletion waits for people
};

}  // namespace coffer::vault
