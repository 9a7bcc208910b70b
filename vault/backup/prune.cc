#include "vault/backup/prune.h"

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
                       const std::function<Status()>& go_on, std::uint64_t& removed) {
  removed = 0;
  COFFER_ASSIGN(const auto generations, repository.ListGenerations());
  std::vector<audit::BackupManifest> kept;
  std::vector<std::string> old;
  std::set<std::string> unreadable;
  for (const auto& generation : generations | std::views::reverse) {
    const auto note = repository.GetManifest(generation);
    auto manifest = note ? audit::ReadBackupManifest(*note)
                         : Result<audit::BackupManifest>(std::unexpected(note.error()));
    if (!manifest) {
      if (manifest.error().code == Code::kUnavailable) return std::unexpected(manifest.error());
      unreadable.insert(generation);
    } else if (since && manifest->created < *since && !kept.empty()) {
      old.push_back(generation);
    } else {
      kept.push_back(*std::move(manifest));
    }
  }
  COFFER_ASSIGN(auto increments, repository.ListIncrements());
  bool any_went = !old.empty();
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
    COFFER_TRY(repository.RemoveIncrements(at->first, at->second));
    at = increments.erase(at);
    any_went = true;
  }
  for (const auto& generation : old) {
    COFFER_TRY(repository.RemoveManifest(generation));
    ++removed;
  }
  if (!unreadable.empty()) {
    return Fail(Code::kCorrupted, "manifest_malformed",
                repository.path() + "/generations/" + *unreadable.begin() +
                    " cannot be read: look at it, and remove it");
  }
  if (!any_went && !sweep) return {};
  COFFER_ASSIGN(const auto needed, ObjectsNeeded(repository, kept, increments, go_on));
  return repository.RemoveObjects([&](const Hash& object) { return !needed.contains(object); });
}

}  // namespace coffer::vault
