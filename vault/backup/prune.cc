#include "vault/backup/prune.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <ranges>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "audit/documents/backup_increment.h"
#include "vault/backup/page_list.h"

namespace coffer::vault {
namespace {

// A disk that is lost is restored from the newest; a mistake that was found late from the one
// before.
constexpr std::size_t kGenerationsWithIncrements = 2;
// Each start makes a generation: what follows one is not for who makes many to remove.
constexpr std::int64_t kMomentsStayDays = 2;
constexpr std::int64_t kHourOfCalendarMs = std::int64_t{3600} * 1000;
constexpr std::int64_t kDayOfCalendarMs = 24 * kHourOfCalendarMs;

Result<std::set<Hash>> ObjectsNeeded(const Repository& repository,
                                     const std::vector<audit::BackupManifest>& manifests,
                                     const Repository::Increments& increments,
                                     const std::function<Status()>& go_on) {
  std::set<Hash> needed;
  for (const auto& [generation, numbers] : increments) {
    for (const std::uint64_t n : numbers) {
      COFFER_ASSIGN(const auto note, repository.GetIncrement(generation, n));
      const auto increment = audit::ReadBackupIncrement(note);
      if (!increment) {
        return Fail(Code::kCorrupted, "increment_malformed",
                    repository.path() + "/increments: number " + std::to_string(n) + " of " +
                        generation + " cannot be read: look at it, and remove it");
      }
      needed.insert(increment->changes.begin(), increment->changes.end());
      COFFER_TRY(go_on());
    }
  }
  for (const auto& manifest : manifests) {
    for (const auto& file : manifest.files) {
      if (!file.paged) {
        needed.insert(file.object);
        continue;
      }
      COFFER_TRY(ForEachObject(repository, file.object, needed, [&](const Hash& object) -> Status {
        needed.insert(object);
        return go_on();
      }));
    }
  }
  return needed;
}

// Floored: also of times before 1970, which a wrong clock has.
std::int64_t DivideDown(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The hour, day, week, month or year of a time, as a number of its own.
using PeriodOf = std::int64_t (*)(Timestamp);

std::int64_t UtcHour(Timestamp time) { return DivideDown(time.ms, kHourOfCalendarMs); }
std::int64_t UtcDay(Timestamp time) { return DivideDown(time.ms, kDayOfCalendarMs); }
// The epoch was a Thursday.
std::int64_t UtcWeek(Timestamp time) { return DivideDown(UtcDay(time) + 3, 7); }
std::chrono::year_month_day UtcDate(Timestamp time) {
  return std::chrono::sys_days(std::chrono::days(UtcDay(time)));
}
std::int64_t UtcYear(Timestamp time) { return int{UtcDate(time).year()}; }
std::int64_t UtcMonth(Timestamp time) {
  return UtcYear(time) * 12 + static_cast<std::int64_t>(unsigned{UtcDate(time).month()});
}

// Each newest first, ours before all others.
struct FoundGenerations {
  std::vector<audit::BackupManifest> kept, old;
  std::vector<std::string> unreadable;
};

Result<FoundGenerations> SortOut(const Repository& repository, const KeepRule& rule) {
  COFFER_ASSIGN(const auto generations, repository.ListGenerations());
  FoundGenerations found;
  std::vector<audit::BackupManifest> manifests, others;
  for (const auto& generation : generations | std::views::reverse) {
    const auto note = repository.GetManifest(generation);
    auto manifest = note ? audit::ReadBackupManifest(*note)
                         : Result<audit::BackupManifest>(std::unexpected(note.error()));
    if (manifest) {
      const bool ours = manifest->generation == generation &&
                        audit::VerifyBackupManifest(*note, rule.ours).has_value();
      // It goes by the name of its file, whatever it says.
      manifest->generation = generation;
      (ours ? manifests : others).push_back(*std::move(manifest));
    } else if (manifest.error().code == Code::kUnavailable) {
      return std::unexpected(manifest.error());
    } else {
      found.unreadable.push_back(generation);
    }
  }
  std::ranges::move(others, std::back_inserter(manifests));
  std::vector<Timestamp> created;
  for (const auto& manifest : manifests) created.push_back(manifest.created);
  const auto stays = ChooseKept(created, rule);
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    if (stays[i]) {
      found.kept.push_back(std::move(manifests[i]));
    } else {
      found.old.push_back(std::move(manifests[i]));
    }
  }
  return found;
}

}  // namespace

KeepRule RuleOf(const BackupDestination& destination, Timestamp now,
                std::vector<audit::VerifierKey> ours) {
  KeepRule rule{std::nullopt, destination.keep, std::move(ours),
                Timestamp{now.ms - kMomentsStayDays * kDayOfCalendarMs}};
  if (destination.keep_days > 0) {
    rule.since = Timestamp{now.ms - destination.keep_days * kDayOfCalendarMs};
  }
  return rule;
}

KeepRule KeepAllOf(std::vector<audit::VerifierKey> ours) {
  return {std::nullopt, {}, std::move(ours), Timestamp{std::numeric_limits<std::int64_t>::min()}};
}

std::vector<bool> ChooseKept(std::span<const Timestamp> created, const KeepRule& rule) {
  const bool all = !rule.since && !rule.counts.any();
  std::vector<bool> kept(created.size(), all);
  if (!kept.empty()) kept[0] = true;
  for (std::size_t i = 0; i < created.size(); ++i) {
    if (rule.since && created[i] >= *rule.since) kept[i] = true;
  }
  const std::pair<std::uint32_t, PeriodOf> counts[] = {{rule.counts.hourly, UtcHour},
                                                       {rule.counts.daily, UtcDay},
                                                       {rule.counts.weekly, UtcWeek},
                                                       {rule.counts.monthly, UtcMonth},
                                                       {rule.counts.yearly, UtcYear}};
  for (const auto& [count, period_of] : counts) {
    std::set<std::int64_t> periods;
    for (std::size_t i = 0; i < created.size() && periods.size() < count; ++i) {
      if (periods.insert(period_of(created[i])).second) kept[i] = true;
    }
  }
  return kept;
}

Status UnreadableGeneration(const Repository& repository, const std::string& generation) {
  return Fail(Code::kCorrupted, "manifest_malformed",
              repository.path() + "/generations/" + generation +
                  " cannot be read: look at it, and remove it");
}

Result<PrunePlan> PlanPrune(const Repository& repository, const KeepRule& rule) {
  COFFER_ASSIGN(auto found, SortOut(repository, rule));
  PrunePlan plan{{}, {}, std::move(found.unreadable)};
  for (auto& manifest : found.kept) plan.kept.push_back(std::move(manifest.generation));
  for (auto& manifest : found.old) plan.old.push_back(std::move(manifest.generation));
  std::ranges::sort(plan.kept, std::greater());
  std::ranges::sort(plan.old, std::greater());
  return plan;
}

Status PruneRepository(const Repository& repository, const KeepRule& rule, bool sweep,
                       const std::function<Status()>& go_on, Pruned& pruned) {
  pruned = {};
  const auto retain = [&](const Repository::Removal& removal) {
    pruned.retains = pruned.retains || removal.refused || removal.kept;
    if (removal.until) {
      pruned.retained_until =
          std::max(pruned.retained_until.value_or(*removal.until), *removal.until);
    }
  };
  COFFER_ASSIGN(auto found, SortOut(repository, rule));
  auto& [kept, old, unreadable] = found;
  COFFER_ASSIGN(auto increments, repository.ListIncrements());
  bool any_went = false;
  // Before the generations: what a crash leaves is one without.
  std::set<std::string> followed(unreadable.begin(), unreadable.end());
  Timestamp reaches{std::numeric_limits<std::int64_t>::max()};  // to where the next one begins
  std::size_t newer = 0;
  for (const auto& manifest : kept) {
    const bool recent = rule.moments_since && reaches >= *rule.moments_since;
    if (newer++ < kGenerationsWithIncrements || recent) followed.insert(manifest.generation);
    reaches = manifest.created;
  }
  for (auto at = increments.begin(); at != increments.end();) {
    if (followed.contains(at->first)) {
      ++at;
      continue;
    }
    const std::size_t before = at->second.size();
    COFFER_ASSIGN(const auto removal, repository.RemoveIncrements(at->first, at->second));
    retain(removal);
    any_went = any_went || at->second.size() < before;
    at = at->second.empty() ? increments.erase(at) : std::next(at);
  }
  for (audit::BackupManifest& manifest : old) {
    // Of increments that are retained the generation is what they follow.
    bool stays = increments.contains(manifest.generation);
    if (!stays) {
      COFFER_ASSIGN(const auto removal, repository.RemoveManifest(manifest.generation));
      retain(removal);
      stays = removal.refused;
    }
    ++(stays ? pruned.retained : pruned.removed);
    any_went = any_went || !stays;
    if (stays) kept.push_back(std::move(manifest));
  }
  if (!unreadable.empty()) return UnreadableGeneration(repository, unreadable.back());
  if (!any_went && !sweep) return {};
  COFFER_ASSIGN(const auto needed, ObjectsNeeded(repository, kept, increments, go_on));
  COFFER_ASSIGN(const auto swept, repository.RemoveObjects([&](const Hash& object) {
    return !needed.contains(object);
  }));
  retain(swept);
  return {};
}

}  // namespace coffer::vault
