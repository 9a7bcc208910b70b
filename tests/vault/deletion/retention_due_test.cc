// When records are due under a schedule, and which are at one time.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/sampling.h"
#include "vault/catalog/retention_schedule.h"

namespace coffer::vault {
namespace {

using audit::Timestamp;
using nlohmann::json;
using State = RetentionDue::State;

constexpr std::int64_t kHourMs = 3'600'000;

// What is slow under a sanitizer is shown there for the years around the changes only.
#ifdef COFFER_SANITIZED
constexpr const char* kFirstDecade = "2026-01-01";
constexpr const char* kLastDecade = "2028-06-01";
#else
constexpr const char* kFirstDecade = "1999-01-01";
constexpr const char* kLastDecade = "2035-01-01";
#endif

// A schedule with one policy.
RetentionSchedule OnePolicySchedule(const char* zone, const char* trigger, const char* period) {
  const auto schema = ParseClass(
      R"({"name": "note", "purposes": ["care"], "fields": {"day": {"type": "date"}},
          "retention_date": "day"})");
  REQUIRE(schema);
  const std::vector<std::shared_ptr<const ClassSchema>> classes = {
      std::make_shared<const ClassSchema>(*schema)};
  json holidays;
  for (int year = 2000; year <= 2030; ++year) {
    for (const char* day : {"-01-01", "-05-01", "-12-25", "-12-26"}) {
      holidays.push_back(std::to_string(year) + day);
    }
  }
  const json document = {{"time_zone", zone},
                         {"calendar",
                          {{"first_year", 2000},
                           {"last_year", 2030},
                           {"weekend", {"saturday", "sunday"}},
                           {"holidays", holidays},
                           {"working", {"2026-01-10", "2026-02-28"}}}},
                         {"policies",
                          {{{"name", "only"},
                            {"class", "note"},
                            {"trigger", trigger},
                            {"period", period},
                            {"action", "erase"},
                            {"basis", "Because."}}}}};
  auto schedule = ParseSchedule(document.dump(), classes);
  REQUIRE(schedule);
  return *std::move(schedule);
}

Timestamp At(std::string_view text) {
  const auto time = audit::ParseTimestamp(text, true);
  REQUIRE(time);
  return *time;
}

Day DueDayOn(std::string_view text) {
  const auto day = ParseDay(text);
  REQUIRE(day);
  return *day;
}

RetentionEvents Created(Timestamp time) { return {time, {}, std::nullopt, std::nullopt}; }
RetentionEvents Ended(Day day) { return {{}, {}, day, std::nullopt}; }

std::string DueOf(const char* zone, const char* period, std::string_view created) {
  const auto schedule = OnePolicySchedule(zone, "creation", period);
  const auto due = schedule.DueAt(schedule.policies()[0], Created(At(created)));
  REQUIRE(due.state == State::kAt);
  return FormatTimestamp(due.at);
}

TEST_CASE("a record is due at the start of the day after the period's last day") {
  const char* berlin = "Europe/Berlin";
  CHECK(DueOf("UTC", "P1D", "2026-01-01T00:00:00Z") == "2026-01-03T00:00:00.000Z");
  CHECK(DueOf("UTC", "P1D", "2026-01-01T23:59:59.999Z") == "2026-01-03T00:00:00.000Z");
  CHECK(DueOf("UTC", "P1M", "2026-01-31T12:00:00Z") == "2026-03-01T00:00:00.000Z");
  CHECK(DueOf("UTC", "P1Y", "2024-02-29T12:00:00Z") == "2025-03-01T00:00:00.000Z");
  CHECK(DueOf("UTC", "P3Y", "2026-12-31T12:00:00Z") == "2030-01-01T00:00:00.000Z");
  // The event's day is the one that the zone had.
  CHECK(DueOf(berlin, "P1M", "2026-01-31T22:59:59.999Z") == "2026-02-28T23:00:00.000Z");
  CHECK(DueOf(berlin, "P1M", "2026-01-31T23:00:00Z") == "2026-03-01T23:00:00.000Z");
  CHECK(DueOf("America/New_York", "P1M", "2026-02-01T04:59:59Z") == "2026-03-01T05:00:00.000Z");
  // Over both changes of clocks: local midnight on either side.
  CHECK(DueOf(berlin, "P6M", "2026-01-15T12:00:00+01:00") == "2026-07-15T22:00:00.000Z");
  CHECK(DueOf(berlin, "P6M", "2026-07-15T12:00:00+02:00") == "2027-01-15T23:00:00.000Z");
  CHECK(DueOf(berlin, "P1D", "2026-03-28T12:00:00+01:00") == "2026-03-29T22:00:00.000Z");
  CHECK(DueOf(berlin, "P1D", "2026-10-24T12:00:00+02:00") == "2026-10-25T23:00:00.000Z");
  CHECK(DueOf(berlin, "P3WD", "2026-04-29T12:00:00+02:00") == "2026-05-05T22:00:00.000Z");
}

TEST_CASE("each trigger begins with its own event") {
  const RetentionEvents events = {At("2020-01-01T12:00:00Z"), At("2021-01-01T12:00:00Z"),
                                  DueDayOn("2022-01-01"), DueDayOn("2023-01-01")};
  const std::pair<const char*, const char*> rows[] = {
      {"creation", "2021-01-02T00:00:00.000Z"},
      {"last_activity", "2022-01-02T00:00:00.000Z"},
      {"relationship_end", "2023-01-02T00:00:00.000Z"},
      {"date_field", "2024-01-02T00:00:00.000Z"}};
  for (const auto& [trigger, expected] : rows) {
    INFO(trigger);
    const auto schedule = OnePolicySchedule("UTC", trigger, "P1Y");
    const RetentionPolicy& policy = schedule.policies()[0];
    const auto due = schedule.DueAt(policy, events);
    REQUIRE(due.state == State::kAt);
    CHECK(FormatTimestamp(due.at) == expected);
    for (const auto& [now, is_due] :
         {std::pair(Timestamp{due.at.ms - 1}, false), std::pair(due.at, true)}) {
      const auto cut_off = schedule.CutOff(policy, now);
      REQUIRE(cut_off);
      CHECK(RetentionSchedule::IsDue(policy, *cut_off, events) == is_due);
    }
  }
}

TEST_CASE("without what begins the period nothing is due") {
  for (const char* trigger : {"relationship_end", "date_field"}) {
    const auto schedule = OnePolicySchedule("UTC", trigger, "P1Y");
    const RetentionPolicy& policy = schedule.policies()[0];
    CHECK(schedule.DueAt(policy, Created({0})).state == State::kNotBegun);
    const auto cut_off = schedule.CutOff(policy, At("2040-01-01T00:00:00Z"));
    REQUIRE(cut_off);
    CHECK(!RetentionSchedule::IsDue(policy, *cut_off, Created({0})));
  }
}

TEST_CASE("past the calendar's last year what is due is told, and what is not known said") {
  const auto schedule = OnePolicySchedule("UTC", "relationship_end", "P2WD");
  const RetentionPolicy& policy = schedule.policies()[0];
  CHECK(schedule.DueAt(policy, Ended(DueDayOn("2030-12-27"))).state == State::kAt);  // 30 and 31
  CHECK(schedule.DueAt(policy, Ended(DueDayOn("2030-12-30"))).state == State::kUnknown);
  CHECK(schedule.CalendarReaches(policy, At("2031-01-01T23:59:59Z")));
  CHECK(!schedule.CalendarReaches(policy, At("2031-01-02T00:00:00Z")));
  const auto cut_off = schedule.CutOff(policy, At("2045-01-01T00:00:00Z"));
  REQUIRE(cut_off);
  CHECK(FormatDay(cut_off->day) == "2030-12-29");  // a Sunday: the same two working days
  const auto years = OnePolicySchedule("UTC", "relationship_end", "P2Y");
  CHECK(years.CalendarReaches(years.policies()[0], {INT64_MAX}));
}

TEST_CASE("the shortest and longest periods at the ends of time do not overflow") {
  for (const char* period : {"P1D", "P9999Y", "P9999Y9999M9999D", "P9999WD"}) {
    for (const char* zone : {"UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"}) {
      const auto schedule = OnePolicySchedule(zone, "creation", period);
      const RetentionPolicy& policy = schedule.policies()[0];
      const auto by_day = OnePolicySchedule(zone, "relationship_end", period);
      for (const std::int64_t ms : {INT64_MIN, std::int64_t{0}, INT64_MAX}) {
        const auto due = schedule.DueAt(policy, Created({ms}));
        CHECK((due.state == State::kAt || policy.period.working_days != 0));
        // The day of INT64_MAX is the last one there is.
        if (due.state == State::kAt) {
          CHECK(due.at > schedule.zone().StartOf(schedule.zone().DayOf({ms}) + 1));
        }
        const auto cut_off = schedule.CutOff(policy, {ms});
        if (cut_off) {
          CHECK(cut_off->day <= schedule.zone().DayOf({ms}) - 2);
          CHECK(cut_off->before == schedule.zone().StartOf(cut_off->day + 1));
        }
      }
      for (const Day day : {INT32_MIN, INT32_MAX}) {
        const auto due = by_day.DueAt(by_day.policies()[0], Ended(day));
        CHECK((due.state == State::kAt || policy.period.working_days != 0));
        if (due.state == State::kAt) {
          const Day event = std::clamp(day, kFirstDay - 1, kLastDay + 1);
          CHECK(due.at > by_day.zone().StartOf(event + 1));
        }
      }
    }
  }
}

// The promise on which scans stand: comparing with the cut-off says what DueAt says. A later event
// is never due earlier, so that the days on both sides of the cut-off speak for all others.
TEST_CASE("cut-off and due moment agree at each start of a day over decades", testing::kPlainOnly) {
  int checked = 0;
  for (const char* zone : {"UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia"}) {
    for (const char* period : {"P1D", "P30D", "P1M", "P6M", "P11M", "P1Y", "P3Y", "P1Y6M", "P1M1D",
                               "P1WD", "P7WD", "P30WD", "P2M5WD"}) {
      INFO(zone << " " << period);
      const auto schedule = OnePolicySchedule(zone, "relationship_end", period);
      const auto by_time = OnePolicySchedule(zone, "creation", period);
      const RetentionPolicy& policy = schedule.policies()[0];
      const auto is_due = [&](Day event, Timestamp now) {
        const auto due = schedule.DueAt(policy, Ended(event));
        return due.state == State::kAt && due.at <= now;
      };
      const auto is_due_since = [&](Timestamp event, Timestamp now) {
        const auto due = by_time.DueAt(by_time.policies()[0], Created(event));
        return due.state == State::kAt && due.at <= now;
      };
      int faults = 0;
      Timestamp last{INT64_MIN};
      for (Day day = DueDayOn(kFirstDecade); day < DueDayOn(kLastDecade); ++day) {
        const auto due = schedule.DueAt(policy, Ended(day));
        if (due.state == State::kAt && due.at < last) ++faults;
        if (due.state == State::kAt) last = due.at;
        const Timestamp start = schedule.zone().StartOf(day);
        for (const Timestamp now : {Timestamp{start.ms - 1}, start}) {
          const auto cut_off = schedule.CutOff(policy, now);
          // Before the calendar begins no working day is known, and nothing due.
          const bool agrees = cut_off
                                  ? is_due(cut_off->day, now) && !is_due(cut_off->day + 1, now) &&
                                        is_due_since({cut_off->before.ms - 1}, now) &&
                                        !is_due_since(cut_off->before, now)
                                  : !is_due(kFirstDay - 1, now);
          faults += agrees ? 0 : 1;
          ++checked;
        }
      }
      CHECK(faults == 0);
    }
  }
  CHECK(checked > 80'000);
}

TEST_CASE("cut-off and due moment agree for each event at each time, by the hour, in a spring") {
#ifdef COFFER_SANITIZED
  constexpr std::int64_t kStepHours = 5;
#else
  constexpr std::int64_t kStepHours = 1;
#endif
  for (const char* zone : {"Europe/Berlin", "America/Havana"}) {
    for (const char* period : {"P1D", "P1M", "P5WD"}) {
      INFO(zone << " " << period);
      const auto schedule = OnePolicySchedule(zone, "creation", period);
      const RetentionPolicy& policy = schedule.policies()[0];
      const std::int64_t first = At("2026-01-25T00:00:00Z").ms;
      std::vector<std::pair<RetentionEvents, Timestamp>> events;
      for (std::int64_t i = 0; i < 75 * 24; i += kStepHours) {
        const auto created = Created({first + i * kHourMs});
        const auto due = schedule.DueAt(policy, created);
        REQUIRE(due.state == State::kAt);
        events.emplace_back(created, due.at);
      }
      int faults = 0, due_count = 0;
      for (std::int64_t i = 0; i < 110 * 24; ++i) {
        const Timestamp now{first + i * kHourMs};
        const auto cut_off = schedule.CutOff(policy, now);
        REQUIRE(cut_off);
        for (const auto& [event, due] : events) {
          const bool is_due = RetentionSchedule::IsDue(policy, *cut_off, event);
          due_count += is_due ? 1 : 0;
          faults += is_due == (due <= now) ? 0 : 1;
        }
      }
      CHECK(faults == 0);
      CHECK(due_count > 0);
    }
  }
}

}  // namespace
}  // namespace coffer::vault
