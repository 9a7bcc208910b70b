// Where the days of a place begin and end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/text/clock.h"
#include "crypto/result.h"
#include "vault/base/calendar.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// The rules are those of the operating system, read once for each zone and process. Summer time is
// known until the end of 2037 (time_window.h).
class ZoneDays {
 public:
  // `zone`: a name of the IANA database ("Europe/Berlin"). Errors: kUnprocessable
  // "time_zone_unknown"; kUnavailable "time_zones_unavailable".
  static Result<ZoneDays> Open(const std::string& zone);
  ZoneDays() = default;  // UTC

  // The instant from which on the zone's clocks show no day before `day`. That is midnight, or
  // where clocks leave midnight out, the instant at which they are put forward; where they show it
  // twice, the second one. A day that a zone left out (Samoa, 2011-12-30) begins when the next one
  // does.
  audit::Timestamp StartOf(Day day) const;

  // The last day that has begun. Times before the year 0000 or after 9999 count as its first or
  // last instant: the day is from kFirstDay - 1 to kLastDay + 1.
  Day DayOf(audit::Timestamp time) const;

 private:
  // `offset` holds from the second `from` until the next one's.
  struct Stretch {
    std::int64_t from;    // seconds since 1970-01-01T00:00:00Z
    std::int64_t offset;  // seconds that clocks are ahead of UTC
  };
  // Ascending, never empty; the first is from INT64_MIN on.
  std::vector<Stretch> stretches_ = {{INT64_MIN, 0}};
};

}  // namespace coffer::vault
