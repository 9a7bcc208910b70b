#include "vault/backup/prune.h"

#include <ranges>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vault/backup/page_list.h"

namespace coffer::vault {
namespace {

Result<std::set<Hash>> ObjectsNeeded(const Repository& repository,
                                     const std::vector<audit::BackupManifest>& manifests,
                                     const std::function<Status()>& go_on) {
  std::set<Hash> needed;
  for (const auto& manifest : manifests) {
    for (const auto& file : manifest.files) {
      if (!file.paged) {
        needed.insert(file.object);
        continue;
      }
      COFFER_TRY(ForEachObject(repository, file.object, [&](const Hash& object) -> Status {
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
  std::optional<std::string> unreadable;
  for (const auto& generation : generations | std::views::reverse) {
    const auto note = repository.GetManifest(generation);
    auto manifest = note ? audit::ReadBackupManifest(*note)
                         : Result<audit::BackupManifest>(std::unexpected(note.error()));
    if (!manifest) {
      unreadable = generation;
    } else if (since && manifest->created < *since && !kept.empty()) {
      old.push_back(generation);
    } else {
      kept.push_back(*std::move(manifest));
    }
  }
  for (const auto& generation : old) {
    COFFER_TRY(repository.RemoveManifest(generation));
    ++removed;
  }
  if (unreadable) {
    return Fail(Code::kCorrupted, "manifest_malformed",
                repository.path() + "/generations/" + *unreadable +
                    " cannot be read: look at it, and remove it");
  }
  if (old.empty() && !sweep) return {};
  COFFER_ASSIGN(const auto needed, ObjectsNeeded(repository, kept, go_on));
  return repository.RemoveObjects([&](const Hash& object) { return !needed.contains(object); });
}

}  // namespace coffer::vault
