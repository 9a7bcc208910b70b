#include "vault/base/time_window.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "vault/base/zone_time.h"

namespace coffer::vault {
namespace {

constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::int64_t kMinutesOfDay = 24 * 60;
constexpr int kThursday = 3;  // 1970-01-01

// Rounded towards minus infinity.
constexpr std::int64_t FloorDivide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// Minutes since midnight.
std::optional<int> ParseTime(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  std::array<int, 4> digits{};
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const char c = text[i < 2 ? i : i + 1];
    if (c < '0' || c > '9') return std::nullopt;
    digits[i] = c - '0';
  }
  const int hours = digits[0] * 10 + digits[1], minutes = digits[2] * 10 + digits[3];
  if (minutes > 59 || hours * 60 + minutes > kMinutesOfDay) return std::nullopt;
  return hours * 60 + minutes;
}

unsigned ParseDays(std::span<const std::string> days, std::vector<Issue>& issues) {
  if (days.empty()) issues.push_back({"/days", "must name at least one day"});
  unsigned bits = 0;
  for (std::size_t i = 0; i < days.size() && issues.size() < 50; ++i) {
    const auto found = std::ranges::find(kDays, days[i]);
    const unsigned bit = 1U << (found - kDays.begin());
    if (found == kDays.end()) {
      issues.push_back(
          {"/days/" + std::to_string(i), "must be one of mon, tue, wed, thu, fri, sat, sun"});
    } else if ((bits & bit) != 0) {
      issues.push_back({"/days/" + std::to_string(i), "names a day twice"});
    } else {
      bits |= bit;
    }
  }
  return bits;
}

}  // namespace

TimeWindow TimeWindow::Read(std::string_view zone, std::span<const std::string> days,
                            std::string_view from, std::string_view to,
                            std::vector<Issue>& issues) {
  TimeWindow window;
  window.zone_ = zone;
  window.days_ = ParseDays(days, issues);
  const auto first = ParseTime(from), last = ParseTime(to);
  if (!first || *first == kMinutesOfDay) {
    issues.push_back({"/from", "must be a time as HH:MM, from 00:00 to 23:59"});
  }
  if (!last) issues.push_back({"/to", "must be a time as HH:MM, from 00:00 to 24:00"});
  if (first && last && *first == *last) {
    issues.push_back({"/to", "must not be the time at which the window begins"});
  }
  window.from_ = first.value_or(0);
  window.to_ = last.value_or(0);
  return window;
}

Result<TimeWindow> TimeWindow::Parse(std::string_view zone, std::span<const std::string> days,
                                     std::string_view from, std::string_view to) {
  std::vector<Issue> issues;
  COFFER_ASSIGN(const bool known, IsTimeZone(std::string(zone)));
  if (!known) {
    issues.push_back({"/zone", "must be a time zone of the IANA database, like Europe/Berlin"});
  }
  TimeWindow window = Read(zone, days, from, to, issues);
  if (issues.empty()) return window;
  return std::unexpected(Error{Code::kUnprocessable, "time_window_invalid", {}, std::move(issues)});
}

Result<TimeWindow> TimeWindow::ParseStored(std::string_view zone, std::span<const std::string> days,
                                           std::string_view from, std::string_view to) {
  std::vector<Issue> issues;
  TimeWindow window = Read(zone, days, from, to, issues);
  if (issues.empty()) return window;
  return std::unexpected(Error{Code::kUnprocessable, "time_window_invalid", {}, std::move(issues)});
}

std::optional<bool> TimeWindow::Contains(audit::Timestamp time) const {
  const auto seconds = LocalSeconds(zone_, FloorDivide(time.ms, 1000));
  if (!seconds) return std::nullopt;
  const std::int64_t minutes = FloorDivide(*seconds, 60);
  const std::int64_t day = FloorDivide(minutes, kMinutesOfDay);
  const std::int64_t minute = minutes - day * kMinutesOfDay;
  auto is_listed = [this](std::int64_t days_since_1970) {
    const std::int64_t weekday = ((days_since_1970 + kThursday) % 7 + 7) % 7;
    return (days_ >> weekday & 1) != 0;
  };
  if (from_ < to_) return is_listed(day) && minute >= from_ && minute < to_;
  return (is_listed(day) && minute >= from_) || (is_listed(day - 1) && minute < to_);
}

}  // namespace coffer::vault
