#include "vault/base/calendar.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace coffer::vault {
namespace {

using nlohmann::json;
using Strings = std::vector<std::string>;

Day DayOn(std::string_view text) {
  INFO(text);
  const auto day = ParseDay(text);
  REQUIRE(day);
  return *day;
}

Period PeriodOf(std::string_view text) {
  INFO(text);
  const auto period = ParsePeriod(text);
  REQUIRE(period);
  return *period;
}

// 2026 and 2027, with a holiday in the week and one on a Saturday, and a Saturday that is worked.
const json kCalendar = {{"first_year", 2026},
                        {"last_year", 2027},
                        {"weekend", {"saturday", "sunday"}},
                        {"holidays", {"2026-01-01", "2026-12-25", "2026-12-26", "2027-01-01"}},
                        {"working", {"2026-01-10"}}};

WorkCalendar CalendarOf(const json& document) {
  std::vector<Issue> issues;
  auto calendar = WorkCalendar::Parse(document, "", issues);
  REQUIRE(issues.empty());
  return calendar;
}

Strings PointersOf(const json& document) {
  std::vector<Issue> issues;
  (void)WorkCalendar::Parse(document, "/calendar", issues);
  Strings pointers;
  for (const auto& issue : issues) {
    CHECK(!issue.message.empty());
    pointers.push_back(issue.pointer);
  }
  return pointers;
}

json With(const char* member, const json& value) {
  json changed = kCalendar;
  changed[member] = value;
  return changed;
}

json Without(const char* member) {
  json changed = kCalendar;
  changed.erase(member);
  return changed;
}

std::string Last(std::string_view event, std::string_view period) {
  static const WorkCalendar calendar = CalendarOf(kCalendar);
  const auto last = LastDayOf(DayOn(event), PeriodOf(period), &calendar);
  return last ? FormatDay(*last) : "unknown";
}

TEST_CASE("a day is counted from 1970, and written as it is read") {
  CHECK(DayOn("1970-01-01") == 0);
  CHECK(DayOn("1969-12-31") == -1);
  CHECK(DayOn("2000-03-01") == 11'017);
  CHECK(DayOn("0000-01-01") == kFirstDay);
  CHECK(DayOn("9999-12-31") == kLastDay);
  for (Day day = kFirstDay; day <= kLastDay; day += 97) REQUIRE(ParseDay(FormatDay(day)) == day);
  CHECK(FormatDay(kLastDay + 1) == "9999-12-31");
  CHECK(FormatDay(kFirstDay - 1) == "0000-01-01");
  for (const char* text : {"", "2026-1-1", "2026-02-29", "2026-13-01", "20260101", "2026-01-01 ",
                           "+2026-01-01", "2026-01-01T00:00:00Z"}) {
    INFO(text);
    CHECK(!ParseDay(text));
  }
}

TEST_CASE("a period is read in the spelling of ISO 8601 without weeks, and with working days") {
  CHECK(PeriodOf("P3Y") == Period{3, 0, 0, 0});
  CHECK(PeriodOf("P6M") == Period{0, 6, 0, 0});
  CHECK(PeriodOf("P30D") == Period{0, 0, 30, 0});
  CHECK(PeriodOf("P7WD") == Period{0, 0, 0, 7});
  CHECK(PeriodOf("P1Y6M") == Period{1, 6, 0, 0});
  CHECK(PeriodOf("P1Y2M3D4WD") == Period{1, 2, 3, 4});
  CHECK(PeriodOf("P9999Y") == Period{9999, 0, 0, 0});
  for (const char* text : {"P3Y", "P6M", "P30D", "P7WD", "P1Y6M", "P1Y2M3D4WD", "P9999Y9999WD"}) {
    CHECK(FormatPeriod(PeriodOf(text)) == text);
  }
  for (const char* text : {"",
                           "P",
                           "3Y",
                           "p3y",
                           "P3",
                           "PY",
                           "P0Y",
                           "P0D",
                           "P03Y",
                           "P10000Y",
                           "P123456789012345678Y",
                           "P-1Y",
                           "P+1Y",
                           "P1.5Y",
                           "P10W",
                           "P7DW",
                           "P1M1Y",
                           "P1D1M",
                           "P1WD1D",
                           "P1Y1Y",
                           "P1Y ",
                           " P1Y",
                           "P 1Y",
                           "P1YT1H",
                           "PT1H",
                           "P1Y6",
                           "P1Y0M",
                           "P1Y6M3",
                           "P1WDD",
                           "P٣Y"}) {
    INFO(text);
    CHECK(!ParsePeriod(text));
  }
}

TEST_CASE("a month ends on the day with the same number, or where there is none on its last day") {
  struct Row {
    const char* event;
    const char* period;
    const char* last;
  };
  const Row rows[] = {{"2026-01-28", "P1M", "2026-02-28"},   {"2026-01-29", "P1M", "2026-02-28"},
                      {"2026-01-30", "P1M", "2026-02-28"},   {"2026-01-31", "P1M", "2026-02-28"},
                      {"2024-01-28", "P1M", "2024-02-28"},   {"2024-01-29", "P1M", "2024-02-29"},
                      {"2024-01-30", "P1M", "2024-02-29"},   {"2024-01-31", "P1M", "2024-02-29"},
                      {"1900-01-31", "P1M", "1900-02-28"},   {"2000-01-31", "P1M", "2000-02-29"},
                      {"2026-02-28", "P1M", "2026-03-28"},  // not the end of March
                      {"2026-01-31", "P2M", "2026-03-31"},  // not the 28th, by way of February
                      {"2026-03-31", "P1M", "2026-04-30"},   {"2026-05-31", "P6M", "2026-11-30"},
                      {"2026-08-31", "P6M", "2027-02-28"},   {"2023-08-31", "P6M", "2024-02-29"},
                      {"2026-12-31", "P2M", "2027-02-28"},   {"2026-12-01", "P1M", "2027-01-01"},
                      {"2024-02-29", "P1Y", "2025-02-28"},   {"2024-02-29", "P4Y", "2028-02-29"},
                      {"2024-02-29", "P12M", "2025-02-28"},  {"2096-02-29", "P4Y", "2100-02-28"},
                      {"2023-02-28", "P1Y", "2024-02-28"},   {"2026-12-31", "P1Y", "2027-12-31"},
                      {"2024-12-31", "P3Y", "2027-12-31"},   {"2025-08-31", "P1Y6M", "2027-02-28"},
                      {"2024-02-29", "P1Y12M", "2026-02-28"}};
  for (const Row& row : rows) {
    INFO(row.event << " + " << row.period);
    CHECK(Last(row.event, row.period) == row.last);
  }
}

TEST_CASE("days are counted from the day after the event") {
  CHECK(Last("2026-01-01", "P1D") == "2026-01-02");
  CHECK(Last("2026-12-31", "P1D") == "2027-01-01");
  CHECK(Last("2026-02-28", "P1D") == "2026-03-01");
  CHECK(Last("2024-02-28", "P1D") == "2024-02-29");
  CHECK(Last("2026-01-01", "P30D") == "2026-01-31");
  CHECK(Last("2025-01-01", "P365D") == "2026-01-01");
  CHECK(Last("2024-01-01", "P365D") == "2024-12-31");
  // Months first, then days.
  CHECK(Last("2026-01-31", "P1M1D") == "2026-03-01");
  CHECK(Last("2026-01-31", "P1M3D") == "2026-03-03");
}

TEST_CASE("working days are neither of the weekend nor holidays, but for those that are worked") {
  CHECK(Last("2026-01-05", "P1WD") == "2026-01-06");  // Monday
  CHECK(Last("2026-01-05", "P5WD") == "2026-01-10");  // the Saturday that is worked
  CHECK(Last("2026-01-05", "P6WD") == "2026-01-12");
  CHECK(Last("2026-01-09", "P1WD") == "2026-01-10");
  CHECK(Last("2026-01-10", "P1WD") == "2026-01-12");
  CHECK(Last("2026-01-11", "P1WD") == "2026-01-12");  // begun on a Sunday
  CHECK(Last("2026-01-16", "P1WD") == "2026-01-19");
  CHECK(Last("2026-01-17", "P1WD") == "2026-01-19");
  CHECK(Last("2026-12-24", "P1WD") == "2026-12-28");  // a Friday and a Saturday are holidays
  CHECK(Last("2026-12-31", "P1WD") == "2027-01-04");
  CHECK(Last("2026-12-24", "P7WD") == "2027-01-06");
  // After the month.
  CHECK(Last("2026-11-25", "P1M1WD") == "2026-12-28");
}

TEST_CASE("working days past the last year of the calendar are not guessed") {
  CHECK(Last("2027-12-30", "P1WD") == "2027-12-31");
  CHECK(Last("2027-12-30", "P2WD") == "unknown");
  CHECK(Last("2027-12-31", "P1WD") == "unknown");
  CHECK(Last("2026-01-05", "P520WD") == "unknown");
  CHECK(Last("2031-05-01", "P1WD") == "unknown");
  CHECK(Last("2027-12-31", "P1Y") == "2028-12-31");  // needs no calendar
}

TEST_CASE("days before the calendar's first year count as no working days") {
  CHECK(Last("2025-12-31", "P1WD") == "2026-01-02");
  CHECK(Last("2019-06-03", "P1WD") == "2026-01-02");
  CHECK(Last("2019-06-03", "P2WD") == "2026-01-05");
}

TEST_CASE("the working days of docs/retention.md are counted as it says") {
  const auto calendar = CalendarOf({{"first_year", 2026},
                                    {"last_year", 2027},
                                    {"weekend", {"saturday", "sunday"}},
                                    {"holidays", {"2026-01-01", "2026-12-25"}},
                                    {"working", {"2026-12-19"}}});
  const auto last = [&](const char* event, int count) {
    return FormatDay(calendar.Add(DayOn(event), count).value_or(0));
  };
  CHECK(last("2026-12-16", 3) == "2026-12-19");
  CHECK(last("2026-12-18", 2) == "2026-12-21");
  CHECK(last("2026-12-24", 1) == "2026-12-28");
}

TEST_CASE("working days agree with counting them one by one, each day of two years") {
  const auto calendar = CalendarOf(kCalendar);
  const auto is_working = [](Day day) {
    const std::string text = FormatDay(day);
    for (const auto& holiday : kCalendar["holidays"]) {
      if (holiday == text) return false;
    }
    const int weekday = ((day + 3) % 7 + 7) % 7;  // 0: Monday
    return weekday < 5 || text == "2026-01-10";
  };
  for (Day event = DayOn("2026-01-01"); event <= DayOn("2027-10-01"); ++event) {
    Day day = event;
    for (int count = 1; count <= 40; ++count) {
      do ++day;
      while (!is_working(day));
      REQUIRE(calendar.Add(event, count) == day);
    }
  }
}

TEST_CASE("the longest periods from the last days there are do not overflow") {
  const Period longest = PeriodOf("P9999Y9999M9999D");
  const auto last = LastDayOf(kLastDay + 1, longest, nullptr);
  REQUIRE(last);
  CHECK(*last > kLastDay + 9999 * 365);
  CHECK(LastDayOf(kFirstDay - 1, PeriodOf("P1M"), nullptr) == kFirstDay - 1 + 31);
  CHECK(LastDayOf(kFirstDay - 1, longest, nullptr) < *last);
}

TEST_CASE("each fault of a calendar has an issue that points at it") {
  using V = Strings;
  CHECK(PointersOf(kCalendar).empty());
  CHECK(PointersOf(Without("holidays")).empty());
  CHECK(PointersOf(Without("working")).empty());
  CHECK(PointersOf(With("weekend", json::array())) == V{"/calendar/working/0"});  // a working day
  CHECK(PointersOf(json::array()) == V{"/calendar"});
  CHECK(PointersOf("2026") == V{"/calendar"});
  CHECK(PointersOf(With("feast/days", 1)) == V{"/calendar/feast~1days"});
  CHECK(PointersOf(Without("weekend")) == V{"/calendar/weekend"});
  for (const json& weekend :
       {json("sunday"), json{"Sunday"}, json{"sun"}, json{"sunday", "sunday"}, json{7},
        json{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}}) {
    INFO(weekend.dump());
    CHECK(PointersOf(With("weekend", weekend)) == V{"/calendar/weekend"});
  }
  for (const char* member : {"first_year", "last_year"}) {
    const V expected{std::string("/calendar/") + member};
    CHECK(PointersOf(Without(member)) == expected);
    for (const json& year : {json("2026"), json(1969), json(2200), json(2026.5), json(-1),
                             json(nullptr), json(18446744073709551615ULL)}) {
      CHECK(PointersOf(With(member, year)) == expected);
    }
  }
  CHECK(PointersOf(With("last_year", 2025)) == V{"/calendar/last_year"});
  for (const char* member : {"holidays", "working"}) {
    const std::string at = std::string("/calendar/") + member;
    CHECK(PointersOf(With(member, "2026-01-10")) == V{at});
    CHECK(PointersOf(With(member, json(5001, "2026-01-10"))) == V{at});
    CHECK(PointersOf(With(member, {"2026-02-07", "2026-02-30", 7, "2025-12-31", "2028-01-01"})) ==
          V{at + "/1", at + "/2", at + "/3", at + "/4"});
    CHECK(PointersOf(With(member, {"2026-02-07", "2026-02-07"})) == V{at + "/1"});
  }
  CHECK(PointersOf(With("working", {"2026-01-12"})) == V{"/calendar/working/0"});  // a Monday
  CHECK(PointersOf(With("working", {"2026-12-26"})) == V{"/calendar/working/0"});  // a holiday
  CHECK(PointersOf(With("holidays", json(4000, "x"))).size() == 50);
}

}  // namespace
}  // namespace coffer::vault
