#include "vault/base/zone_time.h"

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

Result<std::vector<ZoneOffset>> ZoneOffsets(const std::string& zone) {
  // Before the first rule of the database and after its last.
  constexpr date::sys_seconds kFirst = date::sys_days{date::year{1800} / 1 / 1};
  constexpr date::sys_seconds kLast = date::sys_days{date::year{2200} / 1 / 1};
  try {
    const auto* const rules = date::locate_zone(zone);
    std::vector<ZoneOffset> offsets;
    for (auto time = kFirst; time < kLast;) {
      const auto info = rules->get_info(time);
      offsets.push_back({time.time_since_epoch().count(), info.offset.count()});
      if (info.end <= time) break;
      time = info.end;
    }
    return offsets;
  } catch (const std::exception& fault) {
    return Fail(Code::kUnavailable, "time_zones_unavailable",
                std::string("the time zone database cannot be read: ") + fault.what());
  }
}

}  // namespace coffer::vault
