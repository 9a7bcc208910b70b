// Days of the calendar, periods of them, and the working days of a country.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"

namespace coffer::vault {

// A day as a place's calendar has it: days since 1970-01-01, negative before.
using Day = std::int32_t;

constexpr Day DayFromDate(std::chrono::year_month_day date) {
  return static_cast<Day>(std::chrono::sys_days{date}.time_since_epoch().count());
}

inline constexpr Day kFirstDay = DayFromDate(std::chrono::year{0} / 1 / 1);
inline constexpr Day kLastDay = DayFromDate(std::chrono::year{9999} / 12 / 31);

std::optional<Day> ParseDay(std::string_view text);  // YYYY-MM-DD, a day that exists
std::string FormatDay(Day day);                      // days of other years: the nearest of those

// A length of time in units of the calendar. At least one of them is not 0, and none is negative.
struct Period {
  int years = 0;
  int months = 0;
  int days = 0;
  int working_days = 0;
  bool operator==(const Period&) const = default;
};

// "P3Y", "P6M", "P30D", "P7WD", "P1Y6M": as ISO 8601 writes durations, without weeks and times, and
// with WD for working days. Each number is from 1 to 9999, without leading zeros; the units come in
// the order Y, M, D, WD, each once at most.
std::optional<Period> ParsePeriod(std::string_view text);
std::string FormatPeriod(const Period& period);

// Which days are working days, in the years that it covers.
//
//   {"first_year": 2026, "last_year": 2027, "weekend": ["saturday", "sunday"],
//    "holidays": ["2026-01-01", …], "working": ["2026-02-28", …]}
//
// `working` are days of the weekend on which work is done. `holidays` and `working` may be left
// out.
class WorkCalendar {
 public:
  // Faults are added to `issues`, each under `pointer`; the calendar is then not to be used.
  static WorkCalendar Parse(const nlohmann::json& value, const std::string& pointer,
                            std::vector<Issue>& issues);

  // The `count`th working day after `day`, which itself is not counted. nullopt when it lies past
  // the last year: nobody knows yet which days are holidays then. Days before the first year count
  // as no working days, so that what began before ends too late rather than too early.
  // Precondition: count >= 1.
  std::optional<Day> Add(Day day, int count) const;

  Day last_day() const { return last_day_; }  // 31 December of the last year

 private:
  std::vector<Day> working_days_;  // ascending
  Day last_day_ = 0;
};

// The last day of a period that an event on the day `event` begins. The event's own day is not
// counted (Regulation (EEC, Euratom) 1182/71 Art. 3(1); section 187(1) BGB; Art. 191 Civil Code of
// the Russian Federation): a period of one day ends with the day after it.
//   - Years and months, added together: the day of that month with the same number, or where the
//     month has none, its last day (Art. 3(2)(c); section 188(3) BGB; Art. 192(3)): one month from
//     31 January ends with 28 or 29 February, one year from 29 February with 28 February.
//   - Then so many days. Then so many working days: the last one of them is the last day.
// An end on a holiday is not put off: these are periods for keeping, not for doing something.
// nullopt when `calendar` does not reach far enough. A later event never has an earlier last day.
//
// Preconditions: `event` is from kFirstDay - 1 to kLastDay + 1; a period of working days comes with
// a calendar.
std::optional<Day> LastDayOf(Day event, const Period& period, const WorkCalendar* calendar);

}  // namespace coffer::vault
