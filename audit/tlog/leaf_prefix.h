// What is hashed before an entry's own bytes: RFC 6962 section 2.1.
#pragma once

#include <cstdint>

namespace coffer::audit {

inline constexpr std::uint8_t kLeafPrefix = 0x00;

}  // namespace coffer::audit
