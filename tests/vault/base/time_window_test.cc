#include "vault/base/time_window.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "vault/base/zone_time.h"

namespace coffer::vault {
namespace {

using audit::Timestamp;
using Strings = std::vector<std::string>;

const Strings kEveryDay = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::int64_t kWindowMinute = 60'000;

TimeWindow Window(std::string_view zone, const Strings& days, std::string_view from,
                  std::string_view to) {
  const auto window = TimeWindow::Parse(zone, days, from, to);
  REQUIRE(window);
  return *window;
}

Timestamp WindowAt(std::string_view text) {
  const auto time = audit::ParseTimestamp(text, true);
  REQUIRE(time);
  return *time;
}

bool Has(const TimeWindow& window, std::string_view time) {
  const auto contained = window.Contains(WindowAt(time));
  REQUIRE(contained);
  return *contained;
}

// The times in UTC between `first` and `last` that the window has, minute by minute:
// "03-29T00:30 03-29T01:30" for one stretch, its end not included.
std::string Stretches(const TimeWindow& window, std::string_view first, std::string_view last) {
  std::string text;
  bool inside = false;
  for (Timestamp time = WindowAt(first); time < WindowAt(last); time.ms += kWindowMinute) {
    const auto contained = window.Contains(time);
    REQUIRE(contained);
    REQUIRE(window.Contains({time.ms + kWindowMinute - 1}) == contained);
    if (*contained == inside) continue;
    inside = *contained;
    text += (text.empty() ? "" : " ") + FormatTimestamp(time).substr(5, 11);
  }
  return text;
}

Strings PointersOf(std::string_view zone, const Strings& days, std::string_view from,
                   std::string_view to) {
  const auto window = TimeWindow::Parse(zone, days, from, to);
  REQUIRE(!window);
  CHECK(window.error().code == Code::kUnprocessable);
  CHECK(window.error().reason == "time_window_invalid");
  Strings pointers;
  for (const auto& issue : window.error().issues) {
    CHECK(!issue.message.empty());
    pointers.push_back(issue.pointer);
  }
  return pointers;
}

TEST_CASE("a window has its hours on its days, in its zone") {
  const auto office = Window("Europe/Berlin", {"mon", "fri"}, "08:00", "18:00");
  // 2026-01-05 is a Monday; Berlin is an hour ahead in winter.
  CHECK(Stretches(office, "2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z") ==
        "01-05T07:00 01-05T17:00 01-09T07:00 01-09T17:00");
  CHECK_FALSE(Has(office, "2026-01-05T07:59:59.999+01:00"));
  CHECK(Has(office, "2026-01-05T08:00:00+01:00"));
  CHECK(Has(office, "2026-01-05T17:59:59.999+01:00"));
  CHECK_FALSE(Has(office, "2026-01-05T18:00:00+01:00"));
}

TEST_CASE("each name of a day is that day") {
  for (std::size_t i = 0; i < kEveryDay.size(); ++i) {
    const auto day = Window("UTC", {kEveryDay[i]}, "00:00", "24:00");
    for (std::size_t j = 0; j < 7; ++j) {
      const Timestamp noon{WindowAt("2026-01-05T12:00:00Z").ms +
                           static_cast<std::int64_t>(j) * 24 * 60 * kWindowMinute};
      CHECK(day.Contains(noon) == (i == j));
    }
  }
}

TEST_CASE("a whole day is from midnight to midnight of its zone") {
  // Without summer time, and half an hour off.
  CHECK(Stretches(Window("Asia/Kolkata", {"mon"}, "00:00", "24:00"), "2026-06-28T00:00:00Z",
                  "2026-07-01T00:00:00Z") == "06-28T18:30 06-29T18:30");
  CHECK(Stretches(Window("Pacific/Kiritimati", {"mon"}, "00:00", "24:00"), "2026-06-28T00:00:00Z",
                  "2026-07-01T00:00:00Z") == "06-28T10:00 06-29T10:00");
  CHECK(Stretches(Window("Pacific/Pago_Pago", {"mon"}, "00:00", "24:00"), "2026-06-28T00:00:00Z",
                  "2026-07-01T00:00:00Z") == "06-29T11:00 06-30T11:00");
}

TEST_CASE("a window over midnight belongs to the day it begins on") {
  const auto night = Window("UTC", {"fri"}, "22:00", "06:00");
  CHECK(Stretches(night, "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z") ==
        "01-09T22:00 01-10T06:00");
  const auto sunday = Window("UTC", {"sun"}, "22:00", "06:00");  // into the next week
  CHECK(Stretches(sunday, "2026-01-05T06:00:00Z", "2026-01-13T00:00:00Z") ==
        "01-11T22:00 01-12T06:00");
  const auto evening = Window("UTC", {"fri"}, "22:00", "00:00");
  CHECK(Stretches(evening, "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z") ==
        "01-09T22:00 01-10T00:00");
  const auto nights = Window("UTC", kEveryDay, "12:00", "11:59");  // all but one minute
  CHECK(Stretches(nights, "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z") ==
        "01-05T00:00 01-05T11:59 01-05T12:00");
}

TEST_CASE("an hour that Berlin leaves out in spring is in no window") {
  // 2026-03-29: at 01:00Z clocks go from 02:00 to 03:00.
  const std::string_view first = "2026-03-28T12:00:00Z", last = "2026-03-29T12:00:00Z";
  CHECK(Stretches(Window("Europe/Berlin", {"sun"}, "02:00", "03:00"), first, last).empty());
  CHECK(Stretches(Window("Europe/Berlin", {"sun"}, "02:30", "02:31"), first, last).empty());
  CHECK(Stretches(Window("Europe/Berlin", {"sun"}, "01:30", "03:30"), first, last) ==
        "03-29T00:30 03-29T01:30");
  CHECK(Stretches(Window("Europe/Berlin", {"sun"}, "02:30", "04:00"), first, last) ==
        "03-29T01:00 03-29T02:00");
  CHECK(Stretches(Window("Europe/Berlin", {"sat"}, "22:00", "06:00"), first, last) ==
        "03-28T21:00 03-29T04:00");
}

TEST_CASE("an hour that comes twice in Berlin's autumn is in its window both times") {
  // 2026-10-25: at 01:00Z clocks go from 03:00 to 02:00.
  const std::string_view first = "2026-10-24T12:00:00Z", last = "2026-10-25T12:00:00Z";
  CHECK(Stretches(Window("Europe/Berlin", {"sun"}, "02:00", "03:00"), first, last) ==
        "10-25T00:00 10-25T02:00");
  CHECK(Stretches(Window("Europe/Berlin", {"sun"}, "02:30", "02:45"), first, last) ==
        "10-25T00:30 10-25T00:45 10-25T01:30 10-25T01:45");
  CHECK(Stretches(Window("Europe/Berlin", {"sat"}, "22:00", "06:00"), first, last) ==
        "10-24T20:00 10-25T05:00");
}

TEST_CASE("New York changes its clocks on other days than Berlin") {
  // 2026-03-08 at 07:00Z from 02:00 to 03:00; 2026-11-01 at 06:00Z from 02:00 to 01:00.
  const auto office = Window("America/New_York", {"sun"}, "01:00", "04:00");
  CHECK(Stretches(office, "2026-03-07T12:00:00Z", "2026-03-08T12:00:00Z") ==
        "03-08T06:00 03-08T08:00");
  CHECK(Stretches(office, "2026-10-31T12:00:00Z", "2026-11-01T12:00:00Z") ==
        "11-01T05:00 11-01T09:00");
  CHECK(Stretches(Window("America/New_York", {"sun"}, "02:00", "03:00"), "2026-03-07T12:00:00Z",
                  "2026-03-08T12:00:00Z")
            .empty());
  CHECK(Stretches(Window("America/New_York", {"sun"}, "01:00", "02:00"), "2026-10-31T12:00:00Z",
                  "2026-11-01T12:00:00Z") == "11-01T05:00 11-01T07:00");
  // Three weeks in which Berlin still has winter.
  CHECK(Has(Window("America/New_York", {"mon"}, "09:00", "10:00"), "2026-03-16T13:30:00Z"));
  CHECK(Has(Window("Europe/Berlin", {"mon"}, "14:00", "15:00"), "2026-03-16T13:30:00Z"));
}

TEST_CASE("times long ago and far ahead are in a window or not, and break nothing") {
  const auto always = Window("Europe/Berlin", kEveryDay, "00:00", "24:00");
  for (const std::int64_t ms : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
    CHECK(always.Contains({ms}) == true);
  }
  // 1969-12-31, a Wednesday.
  CHECK(Window("UTC", {"wed"}, "23:59", "24:00").Contains({-1}) == true);
  CHECK(Window("UTC", {"thu"}, "00:00", "24:00").Contains({-1}) == false);
  CHECK(Window("UTC", {"thu"}, "00:00", "00:01").Contains({0}) == true);
}

TEST_CASE("a zone that the database does not have is refused, wherever its name leads") {
  for (const std::string& zone :
       {std::string(), std::string("Nowhere"), std::string("europe/berlin"), std::string("Europe"),
        std::string("Europe/"), std::string("Europe/Berlin "), std::string("Europe/Berlin\0", 14),
        std::string("../zoneinfo/Europe/Berlin"), std::string("/etc/localtime"),
        std::string("/usr/share/zoneinfo/UTC"), std::string("localtime"), std::string("zone.tab"),
        std::string("tzdata.zi"), std::string("GMT+1"), std::string("+01:00"),
        std::string("CET-1CEST,M3.5.0,M10.5.0/3"), std::string(100'000, 'x')}) {
    CHECK(PointersOf(zone, {"mon"}, "08:00", "18:00") == Strings{"/zone"});
  }
  CHECK(IsTimeZone("Europe/Berlin") == true);
  CHECK(IsTimeZone("Nowhere") == false);
}

TEST_CASE("where a zone's data cannot be read there is no local time") {
  CHECK(LocalSeconds("Nowhere", 0) == std::nullopt);
  CHECK(LocalSeconds("", 0) == std::nullopt);
  CHECK(LocalSeconds("UTC", 86'399) == 86'399);
  CHECK(LocalSeconds("Europe/Berlin", 0) == 3'600);
}

TEST_CASE("days and times that are not written strictly are refused where they stand") {
  CHECK(PointersOf("UTC", {}, "08:00", "18:00") == Strings{"/days"});
  CHECK(PointersOf("UTC", {"mon", "Tue", "wednesday", "", "fri "}, "08:00", "18:00") ==
        Strings{"/days/1", "/days/2", "/days/3", "/days/4"});
  CHECK(PointersOf("UTC", {"mon", "tue", "mon"}, "08:00", "18:00") == Strings{"/days/2"});
  CHECK(PointersOf("UTC", Strings(100'000, "x"), "08:00", "18:00").size() == 50);
  for (const std::string& time :
       {std::string(), std::string("8:00"), std::string("08:0"), std::string("0800"),
        std::string("08-00"), std::string("08:60"), std::string("25:00"), std::string("24:01"),
        std::string("-1:00"), std::string("+8:00"), std::string(" 8:00"), std::string("08:00 "),
        std::string("08:00:00"), std::string("08:0a"), std::string("8 am"),
        std::string("08:00\0", 6), std::string("99:99")}) {
    INFO(time);
    CHECK(PointersOf("UTC", {"mon"}, time, "18:00") == Strings{"/from"});
    CHECK(PointersOf("UTC", {"mon"}, "08:00", time) == Strings{"/to"});
  }
  CHECK(PointersOf("UTC", {"mon"}, "24:00", "08:00") == Strings{"/from"});
  CHECK(PointersOf("UTC", {"mon"}, "08:00", "08:00") == Strings{"/to"});
  CHECK(PointersOf("UTC", {"mon"}, "00:00", "00:00") == Strings{"/to"});
  CHECK(PointersOf("x", {}, "x", "x") == Strings{"/zone", "/days", "/from", "/to"});
}

}  // namespace
}  // namespace coffer::vault
