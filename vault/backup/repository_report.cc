#include "vault/backup/repository_report.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

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
                                          std::span<const audit::VerifierKey> trusted) {
  COFFER_ASSIGN(const auto repository, Repository::Open(place));
  return VerifyRepository(repository, trusted, trusted, {});
}

Result<RepositoryReport> VerifyRepository(const Repository& repository,
                                          std::span<const audit::VerifierKey> trusted,
                                          std::span<const audit::VerifierKey> newest_by,
                                          const std::function<Status()>& go_on) {
  RepositoryReport report;
  report.vault = repository.owner().vault;
  report.kind = repository.kind();
  COFFER_ASSIGN(const auto generations, repository.ListGenerations());
  COFFER_ASSIGN(auto increments, repository.ListIncrements());
  std::set<Hash> sound;
  struct Failed {
    std::string generation;
    std::vector<std::uint64_t> numbers;
    Error error;
  };
  std::vector<Failed> failed;
  const auto check_one = [&](const std::string& generation,
                             const std::vector<std::uint64_t>& numbers) -> Status {
    const bool is_newest = generation == generations.back();
    const auto more = [&](const audit::BackupIncrement&) { return !go_on || go_on().has_value(); };
    COFFER_ASSIGN(const auto moment, ReadMoment(repository, generation, numbers, more,
                                                is_newest ? newest_by : trusted));
    if (go_on) COFFER_TRY(go_on());
    COFFER_ASSIGN(const std::uint64_t bytes, CheckObjects(repository, moment, sound, go_on));
    report.bytes += bytes;
    report.increments += numbers.size();
    if (!is_newest) return {};
    // That the lists make the files again, too.
    for (const auto& file : moment.manifest.files) {
      if (!file.paged) continue;
      COFFER_TRY(ReadPages(repository, file.object, file.size,
                           [](std::uint64_t, ByteView) { return Status(); }));
    }
    return {};
  };
  for (const auto& generation : generations) {
    std::vector<std::uint64_t> numbers = std::exchange(increments[generation], {});
    auto checked = check_one(generation, numbers);
    if (go_on) COFFER_TRY(go_on());
    if (checked) {
      report.generations.push_back(generation);
    } else {
      failed.push_back({generation, std::move(numbers), std::move(checked).error()});
    }
  }
  std::erase_if(increments, [](const auto& of) { return of.second.empty(); });
  if (failed.empty() && increments.empty()) return report;
  // What is removed by the calendar while it is looked at is no damage.
  COFFER_ASSIGN(const auto left, repository.ListGenerations());
  COFFER_ASSIGN(auto left_increments, repository.ListIncrements());
  for (Failed& one : failed) {
    if (!std::ranges::binary_search(left, one.generation)) continue;
    const auto& numbers = left_increments[one.generation];
    if (numbers != one.numbers) {
      const auto checked = check_one(one.generation, numbers);
      if (go_on) COFFER_TRY(go_on());
      if (checked) {
        report.generations.push_back(one.generation);
        continue;
      }
      one.error = checked.error();
    }
    report.findings.push_back(one.generation + ": " + InWords(one.error));
  }
  std::ranges::sort(report.generations);
  for (const auto& [generation, numbers] : increments) {
    // Removed since, or made since: the next time.
    if (left_increments[generation].empty() || std::ranges::binary_search(left, generation)) {
      continue;
    }
    report.findings.push_back(generation + ": generation_missing: of which there are " +
                              std::to_string(numbers.size()) + " increments");
  }
  return report;
}

}  // namespace coffer::vault
