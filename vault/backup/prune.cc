#include "vault/backup/prune.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vault/backup/page_list.h"

namespace coffer::vault {
namespace {

Result<std::set<Hash>> ObjectsNeeded(const Repository& repository,
                                     const std::vector<audit::BackupManifest>& manifests) {
  std::set<Hash> needed;
  for (const auto& manifest : manifests) {
    for (const auto& file : manifest.files) {
      if (!file.paged) {
        needed.insert(file.object);
      } else {
        COFFER_TRY(ForEachObject(repository, file.object,
                                 [&](const Hash& object) { needed.insert(object); }));
      }
    }
  }
  return needed;
}

}  // namespace

Result<std::uint64_t> PruneRepository(const Repository& repository, std::optional<Timestamp> since,
                                      bool sweep) {
  COFFER_ASSIGN(const auto generations, repository.ListGenerations());
  std::vector<audit::BackupManifest> kept;
  std::vector<std::string> old;
  bool all_read = true;
  for (const auto& generation : generations) {
    const auto note = repository.GetManifest(generation);
    auto manifest = note ? audit::ReadBackupManifest(*note)
                         : Result<audit::BackupManifest>(std::unexpected(note.error()));
    if (!manifest) {
      all_read = false;
    } else if (since && manifest->created < *since && generation != generations.back()) {
      old.push_back(generation);
    } else {
      kept.push_back(*std::move(manifest));
    }
  }
  for (const auto& generation : old) COFFER_TRY(repository.RemoveManifest(generation));
  if ((old.empty() && !sweep) || !all_read) return old.size();
  COFFER_ASSIGN(const auto needed, ObjectsNeeded(repository, kept));
  COFFER_TRY(
      repository.RemoveObjects([&](const Hash& object) { return !needed.contains(object); }));
  return old.size();
}

}  // namespace coffer::vault
