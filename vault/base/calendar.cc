#include "vault/base/calendar.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "audit/text/clock.h"
#include "vault/base/strict_json.h"

namespace coffer::vault {
namespace {

using nlohmann::json;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kCalendarDayMs = 24 * 60 * 60 * 1000;
constexpr std::array<std::string_view, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};
constexpr std::size_t kMaxListedDays = 5000;
constexpr int kFirstCalendarYear = 1970;
constexpr int kLastCalendarYear = 2199;

year_month_day DateOf(Day day) { return sys_days{std::chrono::days{day}}; }

unsigned WeekdayOf(Day day) {  // 0: Sunday
  return std::chrono::weekday{sys_days{std::chrono::days{day}}}.c_encoding();
}

// A number and its unit from the front of `text`; 0 where the next unit is another one.
// nullopt: a number that is none.
std::optional<int> TakeUnit(std::string_view& text, std::string_view unit) {
  std::size_t digits = 0;
  int number = 0;
  while (digits < text.size() && digits < 5 && text[digits] >= '0' && text[digits] <= '9') {
    number = number * 10 + (text[digits++] - '0');
  }
  if (!text.substr(digits).starts_with(unit)) return 0;
  if (digits == 0 || digits > 4 || text[0] == '0') return std::nullopt;
  text.remove_prefix(digits + unit.size());
  return number;
}

// One calendar's members; faults are collected.
class CalendarReader {
 public:
  CalendarReader(const std::string& pointer, std::vector<Issue>& issues)
      : pointer_(pointer), issues_(issues) {}

  // The working days, ascending, and the last day that is covered.
  std::pair<std::vector<Day>, Day> Read(const json& value) {
    if (!value.is_object()) {
      Fault("", "must be an object");
      return {};
    }
    for (const auto& [name, member] : value.items()) {
      if (name != "first_year" && name != "last_year" && name != "weekend" && name != "holidays" &&
          name != "working") {
        Fault(PointerTo("", name), "is not a known member");
      }
    }
    const auto first_year = Year(value, "first_year"), last_year = Year(value, "last_year");
    const auto weekend = Weekend(value);
    if (first_year && last_year && *first_year > *last_year) {
      Fault("/last_year", "must not come before the first year");
      return {};
    }
    if (!first_year || !last_year || !weekend) return {};
    first_ = DayFromDate(std::chrono::year{*first_year} / 1 / 1);
    last_ = DayFromDate(std::chrono::year{*last_year} / 12 / 31);
    const auto holidays = Days(value, "holidays"), working = Days(value, "working");
    for (const auto& [day, at] : working) {
      if (!(*weekend)[WeekdayOf(day)]) Fault(at, "is no day of the weekend");
      if (holidays.contains(day)) Fault(at, "is a holiday as well");
    }
    std::vector<Day> days;
    for (Day day = first_; day <= last_; ++day) {
      const bool rest = (*weekend)[WeekdayOf(day)] || holidays.contains(day);
      if (!rest || working.contains(day)) days.push_back(day);
    }
    return {std::move(days), last_};
  }

 private:
  void Fault(const std::string& where, std::string_view message) {
    if (issues_.size() < 50) issues_.push_back({pointer_ + where, std::string(message)});
  }

  std::optional<int> Year(const json& value, const char* name) {
    const auto found = value.find(name);
    if (found != value.end() && found->is_number_integer()) {
      const auto year = found->get<std::int64_t>();  // what does not fit becomes negative
      if (year >= kFirstCalendarYear && year <= kLastCalendarYear) return static_cast<int>(year);
    }
    Fault(std::string("/") + name, "must be a year from 1970 to 2199");
    return std::nullopt;
  }

  std::optional<std::array<bool, 7>> Weekend(const json& value) {
    std::array<bool, 7> weekend{};
    const auto found = value.find("weekend");
    bool fits = found != value.end() && found->is_array() && found->size() < weekend.size();
    for (std::size_t i = 0; fits && i < found->size(); ++i) {
      const auto& item = (*found)[i];
      const auto name = item.is_string() ? std::ranges::find(kWeekdays, item.get<std::string>())
                                         : kWeekdays.end();
      fits =
          name != kWeekdays.end() && !weekend[static_cast<std::size_t>(name - kWeekdays.begin())];
      if (fits) weekend[static_cast<std::size_t>(name - kWeekdays.begin())] = true;
    }
    if (!fits) {
      Fault("/weekend", "must be a list of at most six of monday to sunday, each once");
      return std::nullopt;
    }
    return weekend;
  }

  // Each day with where it stands.
  std::map<Day, std::string> Days(const json& value, const char* name) {
    std::map<Day, std::string> days;
    const auto found = value.find(name);
    if (found == value.end()) return days;
    const std::string at = std::string("/") + name;
    if (!found->is_array() || found->size() > kMaxListedDays) {
      Fault(at, "must be a list of at most 5000 days");
      return days;
    }
    for (std::size_t i = 0; i < found->size(); ++i) {
      const auto& item = (*found)[i];
      const auto day =
          item.is_string() ? ParseDay(item.get_ref<const std::string&>()) : std::nullopt;
      const std::string where = at + "/" + std::to_string(i);
      if (!day) {
        Fault(where, "must be a day as YYYY-MM-DD");
      } else if (*day < first_ || *day > last_) {
        Fault(where, "is not in the years that the calendar covers");
      } else if (!days.emplace(*day, where).second) {
        Fault(where, "names a day twice");
      }
    }
    return days;
  }

  const std::string& pointer_;
  std::vector<Issue>& issues_;
  Day first_ = 0;
  Day last_ = 0;
};

}  // namespace

std::optional<Day> ParseDay(std::string_view text) {
  if (text.size() != 10) return std::nullopt;
  const auto midnight = audit::ParseTimestamp(std::string(text) + "T00:00:00.000Z");
  if (!midnight) return std::nullopt;
  return static_cast<Day>(midnight->ms / kCalendarDayMs);  // exact
}

std::string FormatDay(Day day) {
  return audit::FormatTimestamp({std::clamp(day, kFirstDay, kLastDay) * kCalendarDayMs})
      .substr(0, 10);
}

std::optional<Period> ParsePeriod(std::string_view text) {
  if (!text.starts_with('P')) return std::nullopt;
  text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  const auto years = TakeUnit(text, "Y"), months = TakeUnit(text, "M"), days = TakeUnit(text, "D"),
             working_days = TakeUnit(text, "WD");
  if (!years || !months || !days || !working_days || !text.empty()) return std::nullopt;
  return Period{*years, *months, *days, *working_days};
}

std::string FormatPeriod(const Period& period) {
  std::string text = "P";
  const auto add = [&text](int number, std::string_view unit) {
    if (number != 0) (text += std::to_string(number)) += unit;
  };
  add(period.years, "Y");
  add(period.months, "M");
  add(period.days, "D");
  add(period.working_days, "WD");
  return text;
}

WorkCalendar WorkCalendar::Parse(const json& value, const std::string& pointer,
                                 std::vector<Issue>& issues) {
  WorkCalendar calendar;
  std::tie(calendar.working_days_, calendar.last_day_) =
      CalendarReader(pointer, issues).Read(value);
  return calendar;
}

std::optional<Day> WorkCalendar::Add(Day day, int count) const {
  const auto next = std::ranges::upper_bound(working_days_, day);
  if (working_days_.end() - next < count) return std::nullopt;
  return *(next + (count - 1));
}

std::optional<Day> LastDayOf(Day event, const Period& period, const WorkCalendar* calendar) {
  Day last = event;
  if (period.years != 0 || period.months != 0) {
    // In one step: 31 January + 1 month + 1 month would else be 28 March.
    auto date = DateOf(event) + std::chrono::months{period.years * 12 + period.months};
    if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
    last = DayFromDate(date);
  }
  last += period.days;
  if (period.working_days == 0) return last;
  return calendar->Add(last, period.working_days);
}

}  // namespace coffer::vault
