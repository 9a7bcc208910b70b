// What clocks show in a place, from the time zones of the operating system (package tzdata).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crypto/result.h"

namespace coffer::vault {

// Whether `zone` is a name of the IANA database, in its own case. Errors: kUnavailable
// "time_zones_unavailable" when the machine has no database.
Result<bool> IsTimeZone(const std::string& zone);

// Seconds since 1970-01-01T00:00 as the clocks of `zone` show it. nullopt when the zone is not
// known or its file cannot be read.
std::optional<std::int64_t> LocalSeconds(const std::string& zone, std::int64_t utc_seconds);

}  // namespace coffer::vault
