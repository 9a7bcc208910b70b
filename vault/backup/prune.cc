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

Result<std::uint64_t> PruneRepository(const Repository& repository, Timestamp since) {
  COFFER_ASSIGN(const auto generations, repository.ListGenerations());
  std::vector<audit::BackupManifest> kept;
  std::vector<std::string> old;
  for (const auto& generation : generations) {
    COFFER_ASSIGN(const auto note, repository.GetManifest(generation));
    COFFER_ASSIGN(auto manifest, audit::ReadBackupManifest(note));
    if (manifest.created < since && generation != generations.back()) {
      old.push_back(generation);
    } else {
      kept.push_back(std::move(manifest));
    }
  }
  if (old.empty()) return 0;
  COFFER_ASSIGN(const auto needed, ObjectsNeeded(repository, kept));
  // A crash between the two leaves objects that the next removal takes along.
  for (const auto& generation : old) COFFER_TRY(repository.RemoveManifest(generation));
  COFFER_TRY(
      repository.RemoveObjects([&](const Hash& object) { return !needed.contains(object); }));
  return old.size();
}

}  // namespace coffer::vault
