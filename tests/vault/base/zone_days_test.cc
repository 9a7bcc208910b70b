#include "vault/base/zone_days.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "vault/base/zone_time.h"

namespace coffer::vault {
namespace {

using audit::Timestamp;

ZoneDays Zone(const std::string& name) {
  auto zone = ZoneDays::Open(name);
  REQUIRE(zone);
  return *std::move(zone);
}

Day ZoneDayOn(std::string_view text) {
  const auto day = ParseDay(text);
  REQUIRE(day);
  return *day;
}

std::string Start(const std::string& zone, std::string_view day) {
  return FormatTimestamp(Zone(zone).StartOf(ZoneDayOn(day)));
}

std::string DayIn(const std::string& zone, std::string_view time) {
  const auto at = audit::ParseTimestamp(time, true);
  REQUIRE(at);
  return FormatDay(Zone(zone).DayOf(*at));
}

TEST_CASE("a day begins at midnight of its place, in summer and winter") {
  CHECK(Start("UTC", "2026-01-01") == "2026-01-01T00:00:00.000Z");
  CHECK(Start("Europe/Berlin", "2026-01-01") == "2025-12-31T23:00:00.000Z");
  CHECK(Start("Europe/Berlin", "2026-07-01") == "2026-06-30T22:00:00.000Z");
  CHECK(Start("Asia/Kolkata", "2026-01-01") == "2025-12-31T18:30:00.000Z");
  CHECK(Start("Pacific/Kiritimati", "2026-01-01") == "2025-12-31T10:00:00.000Z");
  CHECK(Start("America/New_York", "2026-01-01") == "2026-01-01T05:00:00.000Z");
  // The days of 23 and of 25 hours.
  CHECK(Start("Europe/Berlin", "2026-03-29") == "2026-03-28T23:00:00.000Z");
  CHECK(Start("Europe/Berlin", "2026-03-30") == "2026-03-29T22:00:00.000Z");
  CHECK(Start("Europe/Berlin", "2026-10-25") == "2026-10-24T22:00:00.000Z");
  CHECK(Start("Europe/Berlin", "2026-10-26") == "2026-10-25T23:00:00.000Z");
}

TEST_CASE("a day whose midnight is left out begins when clocks are put forward") {
  CHECK(Start("America/Sao_Paulo", "2018-11-04") == "2018-11-04T03:00:00.000Z");
  CHECK(Start("America/Havana", "2026-03-08") == "2026-03-08T05:00:00.000Z");
  CHECK(DayIn("America/Havana", "2026-03-08T04:59:59.999Z") == "2026-03-07");
  CHECK(DayIn("America/Havana", "2026-03-08T05:00:00.000Z") == "2026-03-08");
}

TEST_CASE("a day with two midnights begins at the second") {
  // At midnight, clocks go back to 23:00.
  CHECK(Start("America/Sao_Paulo", "2018-02-18") == "2018-02-18T03:00:00.000Z");
  // One minute past it, to 23:01: for a minute clocks show a day that has not begun for good.
  CHECK(Start("America/St_Johns", "2010-11-07") == "2010-11-07T03:30:00.000Z");
  CHECK(DayIn("America/St_Johns", "2010-11-07T02:30:30.000Z") == "2010-11-06");
  CHECK(DayIn("America/St_Johns", "2010-11-07T03:30:00.000Z") == "2010-11-07");
}

TEST_CASE("a day that a place left out begins when the next one does") {
  CHECK(Start("Pacific/Apia", "2011-12-30") == "2011-12-30T10:00:00.000Z");
  CHECK(Start("Pacific/Apia", "2011-12-31") == "2011-12-30T10:00:00.000Z");
  CHECK(DayIn("Pacific/Apia", "2011-12-30T09:59:59.999Z") == "2011-12-29");
  CHECK(DayIn("Pacific/Apia", "2011-12-30T10:00:00.000Z") == "2011-12-31");
}

TEST_CASE("from its start on clocks show no day before, and just before it they do") {
#ifdef COFFER_SANITIZED
  constexpr Day kStep = 5;
#else
  constexpr Day kStep = 1;
#endif
  constexpr std::int64_t kHourSeconds = 3600, kDaySeconds = 24 * kHourSeconds;
  for (const std::string name :
       {"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/St_Johns",
        "Pacific/Apia", "Africa/Cairo", "Asia/Tehran", "Australia/Lord_Howe", "Asia/Kathmandu"}) {
    const ZoneDays zone = Zone(name);
    const auto shown = [&name](std::int64_t seconds) {
      const auto local = LocalSeconds(name, seconds);
      return local ? *local / kDaySeconds - (*local % kDaySeconds < 0 ? 1 : 0) : INT64_MIN;
    };
    Timestamp before = zone.StartOf(ZoneDayOn("1960-01-01") - 1);
    int faults = 0;
    for (Day day = ZoneDayOn("1960-01-01"); day < ZoneDayOn("2045-01-01"); day += kStep) {
      const Timestamp start = zone.StartOf(day);
      const std::int64_t seconds = start.ms / 1000;
      bool fits = start >= before && start.ms % 1000 == 0 && shown(seconds) >= day &&
                  shown(seconds - 1) < day && zone.DayOf(start) >= day &&
                  zone.DayOf({start.ms - 1}) < day;
      for (std::int64_t hour = 1; hour < 30; hour += 2) {
        fits = fits && shown(seconds + hour * kHourSeconds) >= day;
      }
      if (start < zone.StartOf(day + 1)) fits = fits && zone.DayOf(start) == day;
      faults += fits ? 0 : 1;
      if (!fits) UNSCOPED_INFO(name << " " << FormatDay(day));
      before = start;
    }
    CHECK(faults == 0);
  }
}

TEST_CASE("times and days before and after all years break nothing") {
  for (const std::string name :
       {"UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"}) {
    const ZoneDays zone = Zone(name);
    CHECK(zone.DayOf({INT64_MIN}) >= kFirstDay - 1);
    CHECK(zone.DayOf({INT64_MIN}) <= kFirstDay);
    CHECK(zone.DayOf({INT64_MAX}) >= kLastDay);
    CHECK(zone.DayOf({INT64_MAX}) <= kLastDay + 1);
    CHECK(zone.StartOf(INT32_MAX) > zone.StartOf(kLastDay));
    CHECK(zone.StartOf(INT32_MIN) < zone.StartOf(kFirstDay));
  }
}

TEST_CASE("a zone that the database does not have cannot be opened") {
  for (const std::string name : {"", "Nowhere", "europe/berlin", "localtime", "../UTC"}) {
    const auto zone = ZoneDays::Open(name);
    REQUIRE(!zone);
    CHECK(zone.error().code == Code::kUnprocessable);
    CHECK(zone.error().reason == "time_zone_unknown");
  }
}

}  // namespace
}  // namespace coffer::vault
