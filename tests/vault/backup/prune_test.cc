// Which generations a destination keeps.
#include "vault/backup/prune.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <ctime>
#include <functional>
#include <iterator>
#include <random>
#include <set>
#include <tuple>

#include "tests/support/sampling.h"
#include "tests/vault/backup/backed_up_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

Timestamp TimeOf(int year, unsigned month, unsigned day, int hour = 12) {
  const std::chrono::sys_days date{std::chrono::year(year) / static_cast<int>(month) /
                                   static_cast<int>(day)};
  return {std::chrono::milliseconds(date.time_since_epoch() + std::chrono::hours(hour)).count()};
}

// The C library's calendar, which has ISO weeks and leap days of its own.
std::string PeriodInWords(Timestamp time, const char* format) {
  const std::time_t seconds = time.ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

// What is to be kept, plainly: of each of the last `count` periods in which something was made,
// what was made last.
std::vector<bool> PlainlyKept(const std::vector<Timestamp>& created, const KeepRule& rule) {
  std::vector<bool> kept(created.size());
  if (!kept.empty()) kept[0] = true;
  const std::pair<std::uint32_t, const char*> counts[] = {{rule.counts.hourly, "%Y-%m-%d %H"},
                                                          {rule.counts.daily, "%Y-%m-%d"},
                                                          {rule.counts.weekly, "%G-%V"},
                                                          {rule.counts.monthly, "%Y-%m"},
                                                          {rule.counts.yearly, "%Y"}};
  for (const auto& [count, format] : counts) {
    std::vector<std::string> periods;
    for (const Timestamp time : created) periods.push_back(PeriodInWords(time, format));
    std::set<std::string, std::greater<>> newest(periods.begin(), periods.end());
    while (newest.size() > count) newest.erase(std::prev(newest.end()));
    for (const auto& period : newest) {
      kept[static_cast<std::size_t>(std::ranges::find(periods, period) - periods.begin())] = true;
    }
  }
  const bool all = !rule.since && !rule.counts.any();
  for (std::size_t i = 0; i < created.size(); ++i) {
    if (all || (rule.since && created[i] >= *rule.since)) kept[i] = true;
  }
  return kept;
}

TEST_CASE("a calendar of years keeps the last of each of the last periods, leap days and all") {
  std::mt19937 random(7);
  const auto some = [&](std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, most)(random);
  };
  for (int round = 0; round < 60; ++round) {
    // Of a calendar that was kept, or with gaps, from a year before a leap day or a turn of weeks.
    std::vector<Timestamp> created;
    const std::int64_t step_hours = 1 + some(60);
    Timestamp at =
        TimeOf(1999 + static_cast<int>(some(30)), 12, 20 + some(11), static_cast<int>(some(23)));
    for (int i = 0; i < 700; ++i) {
      at.ms += (step_hours + some(2)) * 3600 * 1000 + some(3'599'999);
      if (some(40) == 0) at.ms += std::int64_t{some(90)} * kOneDay;
      created.push_back(at);
    }
    std::ranges::reverse(created);
    KeepRule rule;
    rule.counts = {some(1) * some(48), some(1) * some(40), some(1) * some(60), some(1) * some(30),
                   some(1) * some(5)};
    if (some(2) == 0) rule.since = Timestamp{created.front().ms - some(60) * kOneDay};
    INFO(round << ": " << rule.counts.hourly << " " << rule.counts.daily << " "
               << rule.counts.weekly << " " << rule.counts.monthly << " " << rule.counts.yearly);
    CHECK(ChooseKept(created, rule) == PlainlyKept(created, rule));
    // The next day's rule brings nothing back that went.
    std::vector<Timestamp> left;
    const auto kept = ChooseKept(created, rule);
    for (std::size_t i = 0; i < created.size(); ++i) {
      if (kept[i]) left.push_back(created[i]);
    }
    CHECK(std::ranges::count(ChooseKept(left, rule), true) ==
          static_cast<std::ptrdiff_t>(left.size()));
  }
}

TEST_CASE("29 February is a day, and belongs to the week and month that it lies in") {
  const std::vector<Timestamp> created = {TimeOf(2024, 3, 1), TimeOf(2024, 2, 29),
                                          TimeOf(2024, 2, 28), TimeOf(2024, 2, 25),
                                          TimeOf(2023, 2, 28)};
  KeepRule days, weeks, months, years;
  days.counts.daily = 2;
  weeks.counts.weekly = 2;
  months.counts.monthly = 2;
  years.counts.yearly = 2;
  CHECK(ChooseKept(created, days) == std::vector<bool>{true, true, false, false, false});
  CHECK(ChooseKept(created, weeks) == std::vector<bool>{true, false, false, true, false});
  CHECK(ChooseKept(created, months) == std::vector<bool>{true, true, false, false, false});
  CHECK(ChooseKept(created, years) == std::vector<bool>{true, false, false, false, true});
}

TEST_CASE("without a rule all stays, and by each rule the newest does") {
  const std::vector<Timestamp> created = {{3000}, {2000}, {1000}};
  CHECK(ChooseKept(created, {}) == std::vector<bool>{true, true, true});
  CHECK(ChooseKept(created, {Timestamp{9000}, {}}) == std::vector<bool>{true, false, false});
  CHECK(ChooseKept({}, {Timestamp{9000}, {}}).empty());
}

class PrunedVault : public BackedUpVault {
 public:
  explicit PrunedVault(KeepCounts keep) : BackedUpVault(SettingsFor(keep)) {}
  static Settings SettingsFor(KeepCounts keep) {
    auto settings = WithDestinations();
    settings.backup_destinations[0].keep = keep;
    return settings;
  }
  std::vector<DestinationPrune> Prune(bool dry, const std::string& name = {}) {
    auto pruned = (*this)->backups().PruneBackups(As(kAdministrator), name, dry);
    INFO(AnswerOf(pruned));
    REQUIRE(pruned);
    return *std::move(pruned);
  }
};

TEST_CASE("a dry run says exactly what goes, and changes nothing; what stays is whole") {
  // Everything is kept while it is made.
  PrunedVault vault({.daily = 1000});
  std::vector<ClientId> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(vault.NewClient("A-" + std::to_string(i)));
    vault.BackUp();
    vault.Later(1);
  }
  const auto repository = Repository::Open(vault.data());
  REQUIRE(repository);
  KeepRule rule;
  rule.counts.daily = 2;
  const auto files = FilesIn(vault.data());
  const auto plan = PlanPrune(*repository, rule);
  REQUIRE(plan);
  CHECK(plan->kept.size() == 2);
  CHECK(plan->old.size() == 4);
  CHECK(FilesIn(vault.data()) == files);
  Pruned pruned;
  REQUIRE(PruneRepository(*repository, rule, false, [] { return Status(); }, pruned));
  CHECK(pruned.removed == plan->old.size());
  auto kept = plan->kept;
  std::ranges::reverse(kept);
  CHECK(*repository->ListGenerations() == kept);
  CHECK(FilesIn(vault.data()).size() < files.size());
  CHECK(vault.Verify(vault.data()).findings == Strings{});
  for (const auto& generation : kept) {
    vault.Restore("of-" + generation, generation);
    CHECK(vault.FindingsIn("of-" + generation) == Strings{});
  }
}

TEST_CASE("a prune that is asked for does what its dry run said, and says what it did") {
  PrunedVault vault({.monthly = 1});
  const auto dry_of = [](const std::vector<DestinationPrune>& all) {
    std::vector<std::tuple<std::string, Strings, Strings, std::string>> said;
    for (const auto& one : all) said.emplace_back(one.name, one.kept, one.removed, one.problem);
    return said;
  };
  vault.BackUp();
  CHECK(AnswerOf(vault->backups().PruneBackups(vault.As(kCaseWorker), {}, true)) ==
        "permission_denied");
  CHECK(AnswerOf(vault->backups().PruneBackups(vault.As(kAdministrator), "none", true)) ==
        "not_found");
  // A run would have pruned it: one that the rule lets go comes back by hand.
  const auto kept_aside = vault.work() / "aside";
  std::filesystem::copy(vault.data(), kept_aside, std::filesystem::copy_options::recursive);
  vault.clock.Advance(1000);
  vault.NewClient("A-1");
  vault.BackUp();
  std::filesystem::copy(
      kept_aside, vault.data(),
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::skip_existing);
  const auto files = FilesIn(vault.data());
  const auto said = dry_of(vault.Prune(true));
  CHECK(FilesIn(vault.data()) == files);
  REQUIRE(said.size() == 2);
  CHECK(std::get<2>(said[0]).size() == 1);
  CHECK(std::get<2>(said[1]).empty());  // of the keys
  CHECK(dry_of(vault.Prune(false)) == said);
  CHECK(FilesIn(vault.data()).size() < files.size());
  CHECK(vault.Verify(vault.data()).findings == Strings{});
  const auto log = vault.WholeLog();
  CHECK(std::ranges::count_if(log, [](const audit::Entry& entry) {
          return entry.action == "backup.ended" && entry.detail == "prune here:1 keys:0";
        }) == 1);
}

TEST_CASE("who may only add generations makes none of ours go, whatever the calendar") {
  PrunedVault vault({.daily = 2});
  const auto first = vault.BackUp();
  const auto repository = Repository::Open(vault.data());
  REQUIRE(repository);
  // One later on each of the days that count, of this day, and of days to come.
  auto manifest = vault.ManifestOf(*repository, first.generation);
  for (int hours = 1; hours < 24 * 4; hours += 7) {
    manifest.created.ms = first.created.ms + std::int64_t{hours} * 3600 * 1000;
    manifest.generation = BackupId::New(manifest.created).Text();
    const auto forged = audit::SignBackupManifest(manifest, crypto::SigningKey::Generate());
    REQUIRE(forged);
    REQUIRE(repository->PutManifest(manifest.generation, *forged));
  }
  vault.Later(1);
  vault.NewClient("A-1");
  const auto second = vault.BackUp();
  const auto left = repository->ListGenerations();
  REQUIRE(left);
  CHECK(std::ranges::count(*left, first.generation) == 1);
  CHECK(std::ranges::count(*left, second.generation) == 1);
  CHECK(left->size() == 2);
}

TEST_CASE("what the calendar takes away while it is read back is no damage") {
  PrunedVault vault({.daily = 1000});
  for (int i = 0; i < 4; ++i) {
    vault.NewClient("A-" + std::to_string(i));
    vault.BackUp();
    vault.Later(1);
  }
  const auto repository = Repository::Open(vault.data());
  REQUIRE(repository);
  KeepRule rule;
  rule.counts.daily = 2;
  Pruned pruned;
  const auto prune_once = [&]() -> Status {
    if (pruned.removed > 0) return {};
    return PruneRepository(*repository, rule, false, [] { return Status(); }, pruned);
  };
  const auto report = VerifyRepository(*repository, {}, {}, prune_once);
  REQUIRE(report);
  CHECK(pruned.removed == 2);
  CHECK(report->findings == Strings{});
  CHECK(report->generations == *repository->ListGenerations());
}

}  // namespace
}  // namespace coffer::vault
