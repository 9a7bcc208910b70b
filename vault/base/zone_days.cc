#include "vault/base/zone_days.h"

#include <algorithm>

#include "vault/base/zone_time.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kZoneDaySeconds = 24 * 60 * 60;
// More than any offset, and than any two differ by.
constexpr std::int64_t kMostOffset = 2 * kZoneDaySeconds;
constexpr std::int64_t kFirstMsOfYears = kFirstDay * kZoneDaySeconds * 1000;
constexpr std::int64_t kLastMsOfYears = (kLastDay + 1) * kZoneDaySeconds * 1000 - 1;

constexpr std::int64_t DividedDown(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace

Result<ZoneDays> ZoneDays::Open(const std::string& zone) {
  COFFER_ASSIGN(const bool known, IsTimeZone(zone));
  if (!known) return Fail(Code::kUnprocessable, "time_zone_unknown");
  COFFER_ASSIGN(const auto offsets, ZoneOffsets(zone));
  ZoneDays days;
  days.stretches_.clear();
  for (const auto& offset : offsets) days.stretches_.push_back({offset.from, offset.seconds});
  days.stretches_.front().from = INT64_MIN;
  return days;
}

// The end of the last stretch of time in which clocks show something before the day.
audit::Timestamp ZoneDays::StartOf(Day day) const {
  const std::int64_t midnight = day * kZoneDaySeconds;
  auto after = std::ranges::upper_bound(stretches_, midnight + kMostOffset, {}, &Stretch::from);
  auto stretch = after - 1;
  while (stretch->from >= midnight - stretch->offset) after = stretch--;
  const std::int64_t start = midnight - stretch->offset;
  return {(after == stretches_.end() ? start : std::min(start, after->from)) * 1000};
}

Day ZoneDays::DayOf(audit::Timestamp time) const {
  const std::int64_t ms = std::clamp(time.ms, kFirstMsOfYears, kLastMsOfYears);
  const std::int64_t seconds = DividedDown(ms, 1000);
  const auto after = std::ranges::upper_bound(stretches_, seconds, {}, &Stretch::from);
  auto day = static_cast<Day>(DividedDown(seconds + (after - 1)->offset, kZoneDaySeconds));
  while (StartOf(day).ms > ms) --day;  // clocks show a day that they go back from
  return day;
}

}  // namespace coffer::vault
