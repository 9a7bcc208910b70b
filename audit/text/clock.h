// Time as a value: UTC milliseconds from an injected clock.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/result.h"

namespace coffer::audit {

struct Timestamp {
  std::int64_t ms = 0;  // since 1970-01-01T00:00:00Z
  auto operator<=>(const Timestamp&) const = default;
};

// RFC 3339 with milliseconds and "Z": exactly 24 characters. Times outside the years 0000 to 9999
// are written as the nearest one inside, so that a broken clock cannot break the form of an entry.
inline constexpr std::size_t kTimestampBytes = 24;
std::string FormatTimestamp(Timestamp ts);
// The same into a buffer of kTimestampBytes: for entries, one a request.
void WriteTimestamp(Timestamp ts, char* out);
// Accepts exactly that spelling (and, when lenient, any RFC 3339 date-time, offset and fraction).
Result<Timestamp> ParseTimestamp(std::string_view text, bool lenient = false);

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() const = 0;
};

// CLOCK_REALTIME. Never destroyed.
const Clock& SystemClock();

}  // namespace coffer::audit
