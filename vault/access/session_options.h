// How long a session lasts.
#pragma once

#include <cstdint>

namespace coffer::vault {

struct SessionOptions {
  std::uint32_t session_idle_s = 15 * 60;
  std::uint32_t session_lifetime_s = 12 * 3600;
};

}  // namespace coffer::vault
