#include "vault/backup/repository_report.h"

#include <set>
#include <utility>

#include "vault/backup/moment.h"
#include "vault/backup/page_list.h"

namespace coffer::vault {
namespace {

// The bytes that were read: what was before is not again.
Result<std::uint64_t> CheckObjects(const Repository& repository, const Moment& moment,
                                   std::set<Hash>& sound, const std::function<Status()>& go_on) {
  std::uint64_t bytes = 0;
  const auto check = [&](const Hash& object) -> Status {
    if (sound.contains(object)) return {};
    if (go_on) COFFER_TRY(go_on());
    COFFER_ASSIGN(const Bytes content, repository.Get(object));
    bytes += content.size();
    sound.insert(object);
    return {};
  };
  for (const auto& file : moment.manifest.files) {
    if (!file.paged) {
      COFFER_TRY(check(file.object));
      continue;
    }
    COFFER_TRY(ForEachObject(repository, file.object, {}, check));
  }
  for (const auto& increment : moment.increments) {
    for (const Hash& object : increment.changes) COFFER_TRY(check(object));
    COFFER_TRY(
        ReadChanges(repository, increment.changes, [](const FileChange&) { return Status(); }));
  }
  return bytes;
}

}  // namespace

Result<RepositoryReport> VerifyRepository(const StorePlace& place,
                                          std::span<const audit::VerifierKey> trusted,
                                          const std::function<Status()>& go_on) {
  COFFER_ASSIGN(const auto repository, Repository::Open(place));
  RepositoryReport report;
  report.vault = repository.owner().vault;
  report.kind = repository.kind();
  COFFER_ASSIGN(const auto generations, repository.ListGenerations());
  COFFER_ASSIGN(auto increments, repository.ListIncrements());
  std::set<Hash> sound;
  for (const auto& generation : generations) {
    const auto check = [&]() -> Status {
      const std::vector<std::uint64_t> numbers = std::exchange(increments[generation], {});
      COFFER_ASSIGN(const auto moment,
                    ReadMoment(
                        repository, generation, numbers,
                        [](const audit::BackupIncrement&) { return true; }, trusted));
      COFFER_ASSIGN(const std::uint64_t bytes, CheckObjects(repository, moment, sound, go_on));
      report.bytes += bytes;
      report.increments += numbers.size();
      if (generation != generations.back()) return {};
      // That the lists make the files again, too.
      for (const auto& file : moment.manifest.files) {
        if (!file.paged) continue;
        COFFER_TRY(ReadPages(repository, file.object, file.size,
                             [](std::uint64_t, ByteView) { return Status(); }));
      }
      return {};
    };
    if (const auto checked = check(); checked) {
      report.generations.push_back(generation);
    } else if (const auto going = go_on ? go_on() : Status(); !going) {
      return std::unexpected(going.error());
    } else {
      report.findings.push_back(generation + ": " + InWords(checked.error()));
    }
  }
  for (const auto& [generation, numbers] : increments) {
    if (numbers.empty()) continue;
    report.findings.push_back(generation + ": generation_missing: of which there are " +
                              std::to_string(numbers.size()) + " increments");
  }
  return report;
}

}  // namespace coffer::vault
