// How far stored data was compared with the log.
#pragma once

#include <cstdint>
#include <optional>

#include "vault/base/timestamp.h"

namespace coffer::vault {

// How far stored data was compared with the log since the comparison last began anew.
struct ScrubState {
  std::uint64_t position = 0;          // entries of the log that were gone through in this round
  std::uint64_t rounds = 0;            // whole ones since the start
  std::optional<Timestamp> completed;  // the last whole one
  std::uint64_t damaged = 0;  // clients and records that are refused; one for committed state
};

}  // namespace coffer::vault
