// Until when requests are to be answered, from the laws' own rules: days, months, working days,
// zones, checks of identity, extensions, calendars that end.
#include "vault/rights/request_clock.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "vault/rights/regime.h"

namespace coffer::vault {
namespace {

using nlohmann::json;
using Kind = RequestKind;

json RegimeWith(const json& clock) {
  return {{"title", "A regime"}, {"clocks", {clock}}, {"keep", "P3Y"}};
}

Regime Parsed(const json& document) {
  auto regime = ParseRegime("sample", document.dump());
  INFO(document.dump());
  REQUIRE(regime);
  return *std::move(regime);
}

Timestamp At(std::string_view text) {
  const auto time = audit::ParseTimestamp(text, true);
  INFO(text);
  REQUIRE(time);
  return *time;
}

ZoneDays ZoneNamed(const std::string& name) {
  auto zone = ZoneDays::Open(name);
  REQUIRE(zone);
  return *std::move(zone);
}

std::string LastDay(const Regime& regime, std::string_view received, bool extended = false,
                    std::vector<IdentityCheck> checks = {}) {
  const auto clock = ComputeClock(regime, Kind::kAccess, {At(received), checks, extended}, {});
  if (!clock) return std::string(clock.error().reason);
  CHECK(ZoneDays().DayOf(clock->due) == clock->last_day + 1);
  return (clock->runs ? "" : "paused ") + FormatDay(clock->last_day);
}

const json kWeeks = {{"first_year", 2026},
                     {"last_year", 2026},
                     {"weekend", {"saturday", "sunday"}},
                     {"holidays", {"2026-05-01", "2026-05-11"}}};

}  // namespace

TEST_CASE("months end on the same day of the month, or on its last") {
  const Regime month = Parsed(RegimeWith({{"answer", "P1M"}, {"extension", "P2M"}}));
  const std::pair<const char*, const char*> kTable[] = {
      {"2026-01-29", "2026-02-28"}, {"2026-01-30", "2026-02-28"}, {"2026-01-31", "2026-02-28"},
      {"2028-01-29", "2028-02-29"}, {"2028-01-31", "2028-02-29"}, {"2028-02-29", "2028-03-29"},
      {"2026-03-31", "2026-04-30"}, {"2026-12-31", "2027-01-31"}, {"2026-02-28", "2026-03-28"}};
  for (const auto& [received, last] : kTable) {
    INFO(received);
    CHECK(LastDay(month, received + std::string("T12:00:00Z")) == last);
  }
  // The whole period from the receipt, not two months from the end of the first.
  CHECK(LastDay(month, "2026-01-31T00:00:00Z", true) == "2026-04-30");
  CHECK(LastDay(month, "2026-11-30T00:00:00Z", true) == "2027-02-28");
}

TEST_CASE("the day of the receipt is not counted, whatever its hour") {
  const Regime days = Parsed(RegimeWith({{"answer", "P10D"}}));
  CHECK(LastDay(days, "2026-03-01T00:00:00Z") == "2026-03-11");
  CHECK(LastDay(days, "2026-03-01T23:59:59.999Z") == "2026-03-11");
  CHECK(LastDay(days, "2026-03-02T00:00:00Z") == "2026-03-12");
}

TEST_CASE("working days skip the calendar's holidays, and without one each day counts") {
  json document = RegimeWith({{"answer", "P10WD"}, {"extension", "P5WD"}});
  CHECK(LastDay(Parsed(document), "2026-04-28T10:00:00Z") == "2026-05-08");
  document["calendar"] = kWeeks;
  const Regime working = Parsed(document);
  // 29, 30 April; 4 to 8, 12 to 14 May.
  CHECK(LastDay(working, "2026-04-28T10:00:00Z") == "2026-05-14");
  CHECK(LastDay(working, "2026-04-28T10:00:00Z", true) == "2026-05-21");
  CHECK(LastDay(working, "2026-12-10T10:00:00Z") == "2026-12-24");
  CHECK(LastDay(working, "2026-12-20T10:00:00Z") == "calendar_ends");
  CHECK(LastDay(working, "2026-12-15T10:00:00Z", true) == "calendar_ends");
}

TEST_CASE("an end on a day off is put off where the regime says so") {
  json document = RegimeWith({{"answer", "P1M"}});
  document["calendar"] = kWeeks;
  CHECK(LastDay(Parsed(document), "2026-04-11T10:00:00Z") == "2026-05-11");
  document["put_off"] = true;
  const Regime regime = Parsed(document);
  CHECK(LastDay(regime, "2026-04-11T10:00:00Z") == "2026-05-12");  // Monday the 11th is a holiday
  CHECK(LastDay(regime, "2026-04-09T10:00:00Z") == "2026-05-12");  // a Saturday
  CHECK(LastDay(regime, "2026-04-08T10:00:00Z") == "2026-05-08");
  CHECK(LastDay(regime, "2026-12-10T10:00:00Z") == "calendar_ends");
}

TEST_CASE("while it is checked who asks the regime runs, stands still or begins anew") {
  const std::vector<IdentityCheck> done = {
      {At("2026-03-05T10:00:00Z"), At("2026-03-09T09:00:00Z")}};
  const std::vector<IdentityCheck> going_on = {{At("2026-03-05T10:00:00Z"), std::nullopt}};
  struct Row {
    const char* identity;
    const char *after, *during;
  };
  for (const Row& row :
       {Row{"runs", "2026-04-01", "2026-04-01"}, Row{"suspends", "2026-04-05", "paused 2026-04-01"},
        Row{"restarts", "2026-04-09", "paused 2026-04-05"}}) {
    INFO(row.identity);
    json document = RegimeWith({{"answer", "P1M"}});
    document["identity"] = row.identity;
    CHECK(LastDay(Parsed(document), "2026-03-01T10:00:00Z", false, done) == row.after);
    CHECK(LastDay(Parsed(document), "2026-03-01T10:00:00Z", false, going_on) == row.during);
  }
}

TEST_CASE("days are those of the zone, also where clocks change at the end") {
  const Regime month = Parsed(RegimeWith({{"answer", "P1M"}, {"acknowledge", "P10D"}}));
  const ZoneDays berlin = ZoneNamed("Europe/Berlin");
  // Half past midnight of 1 March in Berlin.
  const auto clock =
      ComputeClock(month, Kind::kAccess, {At("2026-02-28T23:30:00Z"), {}, false}, berlin);
  REQUIRE(clock);
  CHECK(FormatDay(clock->last_day) == "2026-04-01");
  CHECK(audit::FormatTimestamp(clock->due) == "2026-04-01T22:00:00.000Z");  // summer time
  REQUIRE(clock->acknowledge_due);
  CHECK(audit::FormatTimestamp(*clock->acknowledge_due) == "2026-03-11T23:00:00.000Z");
}

TEST_CASE("a later receipt is never due earlier") {
  json document = RegimeWith({{"answer", "P1M"}, {"extension", "P10WD"}});
  document["calendar"] = kWeeks;
  document["put_off"] = true;
  const Regime regime = Parsed(document);
  for (const bool extended : {false, true}) {
    Day before = 0;
    for (Day day = *ParseDay("2026-01-01"); day < *ParseDay("2026-10-01"); ++day) {
      const auto clock =
          ComputeClock(regime, Kind::kAccess, {ZoneDays().StartOf(day), {}, extended}, ZoneDays());
      REQUIRE(clock);
      CHECK(clock->last_day >= before);
      CHECK(clock->last_day > day);
      before = clock->last_day;
    }
  }
}

TEST_CASE("the regimes that come with the vault have a clock for each request") {
  const auto regimes = BuiltInRegimes();
  std::vector<std::string> names;
  for (const Regime& regime : regimes) {
    names.push_back(regime.name);
    CHECK(!regime.source.empty());
    for (std::size_t kind = 0; kind < kRequestKinds; ++kind) {
      INFO(regime.name << " " << NameOf(static_cast<Kind>(kind)));
      const ClockTerms* terms = regime.For(static_cast<Kind>(kind));
      REQUIRE(terms != nullptr);
      CHECK(!terms->article.empty());
      CHECK(ComputeClock(regime, static_cast<Kind>(kind), {At("2026-03-01T00:00:00Z"), {}, true},
                         regime.zone));
    }
  }
  CHECK(names == std::vector<std::string>{"ccpa", "gdpr", "pipl", "ru-152fz"});
}

TEST_CASE("what is no regime is refused with pointers") {
  const json whole = RegimeWith({{"answer", "P1M"}});
  const auto pointers = [](const json& document) {
    const auto regime = ParseRegime("sample", document.dump());
    std::string all;
    if (regime) return std::string("ok");
    for (const Issue& issue : regime.error().issues) all += issue.pointer + " ";
    return all;
  };
  const auto with = [&](const char* member, const json& value) {
    json changed = whole;
    changed[member] = value;
    return pointers(changed);
  };
  const auto without = [&](const char* member) {
    json changed = whole;
    changed.erase(member);
    return pointers(changed);
  };
  CHECK(pointers(whole) == "ok");
  CHECK(with("name", "sample") == "ok");
  CHECK(with("name", "other") == "/name ");
  CHECK(without("title") == "/title ");
  CHECK(without("clocks") == "/clocks ");
  CHECK(without("keep") == "/keep ");
  CHECK(with("title", "two\nlines").starts_with("/title "));
  CHECK(with("time_zone", "Europe/Nowhere") == "/time_zone ");
  CHECK(with("put_off", true) == "/put_off ");
  CHECK(with("put_off", "yes") == "/put_off ");
  CHECK(with("identity", "waits") == "/identity ");
  CHECK(with("keep", "P0Y") == "/keep ");
  CHECK(with("keep", "P11Y") == "/keep ");
  CHECK(with("surprise", 1) == "/surprise ");
  CHECK(with("refusals", json::array()) == "/refusals ");
  CHECK(with("refusals", {1}) == "/refusals/0 ");
  CHECK(with("calendar", {{"first_year", 2026}}).starts_with("/calendar"));
  CHECK(with("clocks", json::array()) == "/clocks ");
  CHECK(with("clocks", {{{"extension", "P1M"}}}) == "/clocks/0/answer ");
  CHECK(with("clocks", {{{"answer", "1 month"}}}) == "/clocks/0/answer ");
  CHECK(with("clocks", {{{"answer", "P1M"}, {"kinds", {"access", "everything"}}}}) ==
        "/clocks/0/kinds ");
  CHECK(with("clocks", {{{"answer", "P1M"}, {"kinds", {"access"}}},
                        {{"answer", "P2M"}, {"kinds", {"access"}}}}) == "/clocks/1/kinds ");
  CHECK(with("clocks", {{{"answer", "P1M"}}, {{"answer", "P2M"}}}) == "/clocks/1 ");
  CHECK(!ParseRegime("No Name", whole.dump()));
  CHECK(!ParseRegime("sample", "[]"));
  CHECK(!ParseRegime("sample", std::string(kMaxRegimeBytes + 1, ' ')));
}

}  // namespace coffer::vault
