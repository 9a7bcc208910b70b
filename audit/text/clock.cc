#include "audit/text/clock.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>

namespace coffer::audit {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::int64_t kMsPerDay = 24 * 60 * 60 * 1000;

constexpr std::int64_t DaysOf(int y, unsigned m, unsigned d) {
  return sys_days{year{y} / month{m} / day{d}}.time_since_epoch().count();
}

constexpr std::int64_t kFirstMs = DaysOf(0, 1, 1) * kMsPerDay;
constexpr std::int64_t kLastMs = (DaysOf(9999, 12, 31) + 1) * kMsPerDay - 1;

void WriteDigits(std::int64_t value, int count, char* out) {
  for (int i = count - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Takes exactly `count` digits from the front.
std::optional<int> TakeDigits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool TakeOneOf(std::string_view& text, std::string_view characters) {
  if (text.empty() || !characters.contains(text.front())) return false;
  text.remove_prefix(1);
  return true;
}

// "YYYY-MM-DDTHH:MM:SS" as milliseconds. RFC 3339 writes a leap second as second 60; it is read as
// the first second of the next minute.
std::optional<std::int64_t> TakeDateTime(std::string_view& text, bool lenient) {
  const auto y = TakeDigits(text, 4);
  if (!y || !TakeOneOf(text, "-")) return std::nullopt;
  const auto m = TakeDigits(text, 2);
  if (!m || !TakeOneOf(text, "-")) return std::nullopt;
  const auto d = TakeDigits(text, 2);
  if (!d || !TakeOneOf(text, lenient ? "Tt" : "T")) return std::nullopt;
  const auto hour = TakeDigits(text, 2);
  if (!hour || !TakeOneOf(text, ":")) return std::nullopt;
  const auto minute = TakeDigits(text, 2);
  if (!minute || !TakeOneOf(text, ":")) return std::nullopt;
  const auto second = TakeDigits(text, 2);
  if (!second) return std::nullopt;

  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > (lenient ? 60 : 59)) {
    return std::nullopt;
  }
  const std::int64_t days = sys_days{date}.time_since_epoch().count();
  return days * kMsPerDay + ((*hour * 60 + *minute) * 60 + *second) * std::int64_t{1000};
}

// Digits of a fraction, its point already taken: whole milliseconds, the rest dropped.
std::optional<std::int64_t> TakeFraction(std::string_view& text) {
  std::int64_t ms = 0;
  std::int64_t weight = 100;
  const auto before = text.size();
  while (const auto digit = TakeDigits(text, 1)) {
    ms += *digit * weight;
    weight /= 10;
  }
  if (text.size() == before) return std::nullopt;
  return ms;
}

std::optional<std::int64_t> TakeOffset(std::string_view& text) {
  if (TakeOneOf(text, "Zz")) return 0;
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!TakeOneOf(text, "+-")) return std::nullopt;
  const auto hours = TakeDigits(text, 2);
  if (!hours || !TakeOneOf(text, ":")) return std::nullopt;
  const auto minutes = TakeDigits(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes) * std::int64_t{60 * 1000};
}

std::optional<std::int64_t> ParseStrict(std::string_view text) {
  auto ms = TakeDateTime(text, false);
  if (!ms || !TakeOneOf(text, ".")) return std::nullopt;
  const auto fraction = TakeDigits(text, 3);
  if (!fraction || text != "Z") return std::nullopt;
  return *ms + *fraction;
}

std::optional<std::int64_t> ParseLenient(std::string_view text) {
  auto ms = TakeDateTime(text, true);
  if (!ms) return std::nullopt;
  if (TakeOneOf(text, ".")) {
    const auto fraction = TakeFraction(text);
    if (!fraction) return std::nullopt;
    *ms += *fraction;
  }
  const auto offset = TakeOffset(text);
  if (!offset || !text.empty()) return std::nullopt;
  *ms -= *offset;
  if (*ms < kFirstMs || *ms > kLastMs) return std::nullopt;
  return ms;
}

class RealtimeClock final : public Clock {
 public:
  Timestamp Now() const override {
    timespec now{};
    // Without a time nothing can be logged, and without the log nothing may be disclosed.
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) std::abort();
    return {std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000};
  }
};

}  // namespace

void WriteTimestamp(Timestamp ts, char* out) {
  const std::int64_t ms = std::clamp(ts.ms, kFirstMs, kLastMs);
  std::int64_t days = ms / kMsPerDay;
  std::int64_t rest = ms % kMsPerDay;
  if (rest < 0) {
    rest += kMsPerDay;
    --days;
  }
  const year_month_day date{sys_days{std::chrono::days{days}}};
  WriteDigits(int{date.year()}, 4, out);
  out[4] = '-';
  WriteDigits(unsigned{date.month()}, 2, out + 5);
  out[7] = '-';
  WriteDigits(unsigned{date.day()}, 2, out + 8);
  out[10] = 'T';
  WriteDigits(rest / 3'600'000, 2, out + 11);
  out[13] = ':';
  WriteDigits(rest / 60'000 % 60, 2, out + 14);
  out[16] = ':';
  WriteDigits(rest / 1000 % 60, 2, out + 17);
  out[19] = '.';
  WriteDigits(rest % 1000, 3, out + 20);
  out[23] = 'Z';
}

std::string FormatTimestamp(Timestamp ts) {
  std::array<char, kTimestampBytes> text{};
  WriteTimestamp(ts, text.data());
  return {text.data(), text.size()};
}

Result<Timestamp> ParseTimestamp(std::string_view text, bool lenient) {
  const auto ms = lenient ? ParseLenient(text) : ParseStrict(text);
  if (!ms) return Fail(Code::kInvalidArgument, "timestamp_malformed");
  return Timestamp{*ms};
}

const Clock& SystemClock() {
  static const Clock& clock = *new RealtimeClock;
  return clock;
}

}  // namespace coffer::audit
