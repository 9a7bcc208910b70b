#include "vault/internal/zone_time.h"

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <exception>

namespace coffer::vault {

// The library looks a name up in the list of files that it found, so that no name leads elsewhere.
// It throws where files are missing or malformed.
Result<bool> IsTimeZone(const std::string& zone) {
  if (zone == "localtime") return false;  // a file in the directory: whatever the machine is set to
  try {
    return std::ranges::any_of(date::get_tzdb().zones, [&zone](const date::time_zone& known) {
      return known.name() == zone;
    });
  } catch (const std::exception& fault) {
    return Fail(Code::kUnavailable, "time_zones_unavailable",
                std::string("the time zone database cannot be read: ") + fault.what());
  }
}

std::optional<std::int64_t> LocalSeconds(const std::string& zone, std::int64_t utc_seconds) {
  try {
    const date::sys_seconds time{std::chrono::seconds(utc_seconds)};
    return utc_seconds + date::locate_zone(zone)->get_info(time).offset.count();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace coffer::vault
