// What clocks show in a place, from the time zones of the operating system (package tzdata).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/result.h"

namespace coffer::vault {

// Whether `zone` is a name of the IANA database, in its own case. Errors: kUnavailable
// "time_zones_unavailable" when the machine has no database.
Result<bool> IsTimeZone(const std::string& zone);

// Seconds since 1970-01-01T00:00 as the clocks of `zone` show it. nullopt when the zone is not
// known or its file cannot be read.
std::optional<std::int64_t> LocalSeconds(const std::string& zone, std::int64_t utc_seconds);

// How far the clocks of `zone` are ahead of UTC, from when on.
struct ZoneOffset {
  std::int64_t from = 0;     // seconds since 1970-01-01T00:00:00Z
  std::int64_t seconds = 0;  // negative: behind
};

// Each offset that clocks have had or will have, ascending; never empty. The first one holds for
// all time before, too. Errors: kUnavailable "time_zones_unavailable".
Result<std::vector<ZoneOffset>> ZoneOffsets(const std::string& zone);

}  // namespace coffer::vault
