// Timestamps into a buffer: for entries, one a request.
#pragma once

#include "audit/text/clock.h"

namespace coffer::audit {

inline constexpr std::size_t kTimestampBytes = 24;

// Writes exactly kTimestampBytes. Times outside the years 0000 to 9999 are written as the nearest
// one inside, so that a broken clock cannot break the form of an entry.
void WriteTimestamp(Timestamp ts, char* out);

}  // namespace coffer::audit
