// How exchanges of keys are followed.
#pragma once

#include <cstdint>

namespace coffer::vault {

struct KeyOptions {
  // How often it is looked whether a key is being exchanged; 0: only by ClientKeyExchange::Step().
  // And how many clients' keys one operation wraps again at most.
  std::uint32_t keys_interval_ms = 1000;
  std::uint32_t keys_rows_per_step = 4096;
};

}  // namespace coffer::vault
