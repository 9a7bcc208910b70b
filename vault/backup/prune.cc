#include "vault/backup/prune.h"

#include <algorithm>
#include <iterator>
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

}  // namespace

Status PruneRepository(const Repository& repository, std::optional<Timestamp> since, bool sweep,
                       const std::function<Status()>& go_on, Pruned& pruned) {
  pruned = {};
  const auto retain = [&](const Repository::Removal& removal) {
    pruned.retains = pruned.retains || removal.refused || removal.kept;
    if (removal.until) {
      pruned.retained_until =
          std::max(pruned.retained_until.value_or(*removal.until), *removal.until);
    }
  };
  COFFER_ASSIGN(const auto generations, repository.ListGenerations());
  std::vector<audit::BackupManifest> kept;
  std::vector<std::pair<std::string, audit::BackupManifest>> old;
  std::set<std::string> unreadable;
  for (const auto& generation : generations | std::views::reverse) {
    const auto note = repository.GetManifest(generation);
    auto manifest = note ? audit::ReadBackupManifest(*note)
                         : Result<audit::BackupManifest>(std::unexpected(note.error()));
    if (!manifest) {
      if (manifest.error().code == Code::kUnavailable) return std::unexpected(manifest.error());
      unreadable.insert(generation);
    } else if (since && manifest->created < *since && !kept.empty()) {
      old.emplace_back(generation, *std::move(manifest));
    } else {
      kept.push_back(*std::move(manifest));
    }
  }
  COFFER_ASSIGN(auto increments, repository.ListIncrements());
  bool any_went = false;
  // Before the generations: what a crash leaves is one without.
  std::set<std::string> followed = unreadable;
  for (const auto& manifest : kept | std::views::take(kGenerationsWithIncrements)) {
    followed.insert(manifest.generation);
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
  for (auto& [generation, manifest] : old) {
    // Of increments that are retained the generation is what they follow.
    bool stays = increments.contains(generation);
    if (!stays) {
      COFFER_ASSIGN(const auto removal, repository.RemoveManifest(generation));
      retain(removal);
      stays = removal.refused;
    }
    ++(stays ? pruned.retained : pruned.removed);
    any_went = any_went || !stays;
    if (stays) kept.push_back(std::move(manifest));
  }
  if (!unreadable.empty()) {
    return Fail(Code::kCorrupted, "manifest_malformed",
                repository.path() + "/generations/" + *unreadable.begin() +
                    " cannot be read: look at it, and remove it");
  }
  if (!any_went && !sweep) return {};
  COFFER_ASSIGN(const auto needed, ObjectsNeeded(repository, kept, increments, go_on));
  COFFER_ASSIGN(const auto swept, repository.RemoveObjects([&](const Hash& object) {
    return !needed.contains(object);
  }));
  retain(swept);
  return {};
}

}  // namespace coffer::vault
