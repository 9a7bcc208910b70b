#include "vault/deletion/retention_plan.h"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace coffer::vault {
namespace {

using audit::Timestamp;
using nlohmann::json;
using Strings = std::vector<std::string>;

constexpr std::int64_t kDayMs = 24 * 3'600'000;

const RetentionSchedule& TheSchedule() {
  static const RetentionSchedule schedule = [] {
    std::vector<std::shared_ptr<const ClassSchema>> classes;
    for (const char* name : {"contact", "agreement", "note"}) {
      auto schema = ParseClass(
          json{{"name", name}, {"purposes", {"care"}}, {"fields", {{"f", {{"type", "text"}}}}}}
              .dump());
      REQUIRE(schema);
      classes.push_back(std::make_shared<const ClassSchema>(*std::move(schema)));
    }
    auto parsed = ParseSchedule(R"({"time_zone": "Europe/Berlin",
        "calendar": {"first_year": 2026, "last_year": 2026, "weekend": ["sunday"]},
        "policies": [
          {"name": "all", "class": "contact", "trigger": "creation", "period": "P1M",
           "action": "erase", "basis": "b"},
          {"name": "vip", "class": "contact", "tag": "vip", "trigger": "relationship_end",
           "period": "P1Y", "action": "review", "basis": "b"},
          {"name": "working", "class": "note", "trigger": "creation", "period": "P10WD",
           "action": "erase", "basis": "b"},
          {"name": "kept", "class": "agreement", "keep": "k"}]})",
                                classes);
    REQUIRE(parsed);
    return *std::move(parsed);
  }();
  return schedule;
}

Timestamp PlannedAt(std::string_view text) {
  const auto time = audit::ParseTimestamp(text, true);
  REQUIRE(time);
  return *time;
}

void Add(RetentionPlan& plan, std::string_view id, std::string_view class_name,
         std::string_view tags, std::string_view created) {
  plan.Add(
      {id, class_name, tags, {PlannedAt(created), PlannedAt(created), std::nullopt, std::nullopt}});
}

std::string Text(const RetentionForecast& f) {
  std::string text = f.class_name + "/" + f.policy->name + " " + std::to_string(f.records) + ": " +
                     std::to_string(f.kept) + " " + std::to_string(f.not_begun) + " " +
                     std::to_string(f.unknown) + " " + std::to_string(f.due) + " [";
  for (const auto count : f.by_month) text += " " + std::to_string(count);
  return text + " ] " + std::to_string(f.later);
}

Strings Texts(const RetentionPlan& plan) {
  Strings texts;
  for (const auto& forecast : plan.Forecasts()) texts.push_back(Text(forecast));
  return texts;
}

TEST_CASE("a plan counts records by class, policy and the month in which they will be due") {
  RetentionPlan plan(TheSchedule(), PlannedAt("2026-11-15T12:00:00+01:00"), 3, 10);
  CHECK(plan.months() == Strings{"2026-11", "2026-12", "2027-01"});
  Add(plan, "r1", "contact", "", "2026-10-14T12:00:00+02:00");     // due on 15 November at 00:00
  Add(plan, "r2", "contact", "", "2026-10-15T12:00:00+02:00");     // on the 16th
  Add(plan, "r3", "contact", "", "2026-10-29T12:00:00+01:00");     // on the 30th
  Add(plan, "r4", "contact", "a b", "2026-10-30T12:00:00+01:00");  // on 1 December
  Add(plan, "r5", "contact", "a", "2026-11-30T23:59:59+01:00");    // on 31 December
  Add(plan, "r6", "contact", "", "2026-12-01T00:00:00+01:00");     // on 2 January
  Add(plan, "r7", "contact", "", "2026-12-31T12:00:00+01:00");     // on 1 February
  Add(plan, "r8", "contact", "a vip", "2019-01-01T12:00:00Z");     // the relationship goes on
  plan.Add({"r9", "contact", "vip", {{}, {}, ParseDay("2025-11-14"), std::nullopt}});
  Add(plan, "r10", "agreement", "", "2019-01-01T12:00:00Z");
  Add(plan, "r11", "note", "", "2026-12-30T12:00:00Z");  // past the calendar
  Add(plan, "r12", "brand-new", "vip", "2019-01-01T12:00:00Z");
  Add(plan, "r13", "another", "", "2019-01-01T12:00:00Z");
  CHECK(Texts(plan) ==
        Strings{"agreement/kept 1: 1 0 0 0 [ 0 0 0 ] 0", "another/ 1: 1 0 0 0 [ 0 0 0 ] 0",
                "brand-new/ 1: 1 0 0 0 [ 0 0 0 ] 0", "contact/all 7: 0 0 0 1 [ 2 2 1 ] 1",
                "contact/vip 2: 0 1 0 1 [ 0 0 0 ] 0", "note/working 1: 0 0 1 0 [ 0 0 0 ] 0"});
  CHECK(plan.due() == 2);
  REQUIRE(plan.listed().size() == 2);
  CHECK(plan.listed()[0].id == "r1");
  CHECK(plan.listed()[0].policy->name == "all");
  CHECK(plan.listed()[1].id == "r9");
  CHECK(plan.listed()[1].policy->name == "vip");
}

TEST_CASE("the list of a plan is bounded, and its months are") {
  RetentionPlan plan(TheSchedule(), PlannedAt("2026-11-15T12:00:00Z"), 100'000, 2);
  CHECK(plan.months().size() == RetentionPlan::kMaxMonths);
  CHECK(plan.months().back() == "2076-10");
  for (const char* id : {"a", "b", "c"}) Add(plan, id, "contact", "", "2020-01-01T00:00:00Z");
  CHECK(plan.due() == 3);
  REQUIRE(plan.listed().size() == 2);
  CHECK(plan.listed()[1].id == "b");
  RetentionPlan counts(TheSchedule(), PlannedAt("2026-11-15T12:00:00Z"), 0, 0);
  Add(counts, "a", "contact", "", "2020-01-01T00:00:00Z");
  Add(counts, "b", "contact", "", "2026-11-15T00:00:00Z");
  CHECK(counts.listed().empty());
  CHECK(Texts(counts) == Strings{"contact/all 2: 0 0 0 1 [ ] 1"});
}

TEST_CASE("a plan of very many records agrees with the cut-off, and counts each once") {
#ifdef COFFER_SANITIZED
  constexpr std::int64_t kRecords = 20'000;
#else
  constexpr std::int64_t kRecords = 1'000'000;
#endif
  const Timestamp now = PlannedAt("2026-11-15T12:00:00Z");
  const auto& schedule = TheSchedule();
  const auto cut_off = schedule.CutOff(*schedule.Find("all"), now);
  REQUIRE(cut_off);
  RetentionPlan plan(schedule, now, 24, 100);
  std::uint64_t due = 0;
  for (std::int64_t i = 0; i < kRecords; ++i) {
    const Timestamp created{now.ms - (i * 7'919 % 200) * kDayMs - i % 1000};
    plan.Add({"id",
              i % 3 == 0 ? "agreement" : "contact",
              i % 5 == 0 ? "a vip" : "a b",
              {created, created, std::nullopt, std::nullopt}});
    if (i % 3 != 0 && i % 5 != 0 && created < cut_off->before) ++due;
  }
  CHECK(plan.due() == due);
  CHECK(due > 0);
  std::uint64_t records = 0;
  for (const auto& f : plan.Forecasts()) {
    std::uint64_t sum = f.kept + f.not_begun + f.unknown + f.due + f.later;
    for (const auto count : f.by_month) sum += count;
    CHECK(sum == f.records);
    records += f.records;
  }
  CHECK(records == kRecords);
  CHECK(plan.listed().size() == 100);
}

}  // namespace
}  // namespace coffer::vault
