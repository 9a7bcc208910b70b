// A vault with destinations for backups, and what comes of these.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/entries/succession.h"
#include "tests/vault/test_vault.h"
#include "vault/backup/repository_report.h"
#include "vault/backup/restoration.h"

namespace coffer::vault {

inline constexpr std::int64_t kOneDay = std::int64_t{24} * 3600 * 1000;

inline testing::OpenVault::Settings WithDestinations(std::uint32_t keep_days = 0) {
  testing::OpenVault::Settings settings;
  settings.backup_destinations = {{"here", BackupKind::kData, "backup-data", keep_days},
                                  {"keys", BackupKind::kKeys, "backup-keys", keep_days}};
  return settings;
}

class BackedUpVault : public TestVault {
 public:
  explicit BackedUpVault(const Settings& settings = WithDestinations()) : TestVault(settings) {
    for (const auto& destination : settings.backup_destinations) {
      const auto made =
          (*this)->backups().InitializeDestination(As(Role::kAdministrator), destination.name);
      INFO(AnswerOf(made));
      REQUIRE(made);
      REQUIRE(made->problem.empty());
    }
  }

  // What was committed since, with what became of each destination.
  std::vector<DestinationProgress> Increment() {
    REQUIRE((*this)->backup_runner().MakeIncrements());
    return (*this)->backup_runner().writer().Progress();
  }
  void IncrementAll() {
    for (const auto& progress : Increment()) {
      INFO(progress.problem);
      CHECK(progress.problem.empty());
      CHECK(progress.until >= clock.Now());
    }
  }
  // Of what is in all destinations.
  Timestamp NewestMoment() { return *(*this)->backup_runner().writer().Progress().front().until; }
  std::string data() const { return work() / "backup-data"; }
  std::string keys() const { return work() / "backup-keys"; }

  BackupRun BackUp() {
    auto run = (*this)->backups().RunBackup(As(Role::kAdministrator));
    INFO(AnswerOf(run));
    REQUIRE(run);
    for (const auto& destination : run->destinations) {
      INFO(destination.name << ": " << destination.problem);
      CHECK(destination.problem.empty());
    }
    return *std::move(run);
  }

  // In steps that do not make the clock doubted, each of which a start looks at.
  void Later(std::int64_t days) {
    for (std::int64_t half_days = 2 * days; half_days > 0; half_days -= 3) {
      clock.Advance(std::min<std::int64_t>(half_days, 3) * kOneDay / 2);
      Close();
      Open();
    }
  }

  Result<Restored> TryRestore(const std::string& into, const std::string& generation = {}) {
    return RestoreVault({data(), keys(), generation, work() / into}, OpensRoot());
  }
  Result<Restored> TryRestoreAt(const std::string& into, Timestamp at) {
    return RestoreVault({data(), keys(), {}, work() / into, at}, OpensRoot());
  }
  OpenRootKeyFor OpensRoot() {
    return [this](const std::string&) { return crypto::OpenKeyFile(root_key_file()); };
  }
  Restored Restore(const std::string& into, const std::string& generation = {}) {
    auto restored = TryRestore(into, generation);
    INFO(AnswerOf(restored) << " " << (restored ? "" : restored.error().detail));
    REQUIRE(restored);
    return *std::move(restored);
  }
  // What a deep verification of a restored vault finds.
  Strings FindingsIn(const std::string& name, DeepReport* full = nullptr) {
    OfflineVerifyOptions options;
    options.directory = work() / name;
    options.deep = true;
    const auto report = VerifyDirectory(options, root());
    INFO(AnswerOf(report) << " " << (report ? "" : report.error().detail));
    REQUIRE(report);
    if (full != nullptr) *full = *report;
    Strings found;
    for (const auto& finding : report->log.findings) found.push_back(finding.message);
    return found;
  }
  std::unique_ptr<Vault> OpenRestored(const std::string& name) {
    VaultOptions options;
    options.directory = work() / name;
    options.open_restored_copy = true;
    options.require_locked_memory = false;
    options.keys_interval_ms = 0;  // by Step()
    options.clock = &clock;
    options.operator_details = testing::OpenVault::Settings().operator_details;
    auto opened = Vault::Open(options, root());
    INFO(AnswerOf(opened) << " " << (opened ? "" : opened.error().detail));
    REQUIRE(opened);
    return *std::move(opened);
  }
  audit::BackupManifest ManifestOf(const Repository& repository, const std::string& generation) {
    const auto note = repository.GetManifest(generation);
    REQUIRE(note);
    auto manifest = audit::ReadBackupManifest(*note);
    REQUIRE(manifest);
    return *std::move(manifest);
  }
  RepositoryReport Verify(const std::string& path) {
    const auto keyring = OpenKeyring();
    const auto keys =
        audit::UnderAllNames({keyring.log_origin(), keyring.log_signing_key()->public_key()});
    auto report = VerifyRepository(path, keys);
    REQUIRE(report);
    return *std::move(report);
  }
};

inline std::vector<std::filesystem::path> FilesIn(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& at : std::filesystem::recursive_directory_iterator(directory)) {
    if (at.is_regular_file()) files.push_back(at.path());
  }
  std::ranges::sort(files);
  return files;
}

inline std::uint64_t BytesIn(const std::filesystem::path& directory) {
  std::uint64_t bytes = 0;
  for (const auto& file : FilesIn(directory)) bytes += std::filesystem::file_size(file);
  return bytes;
}

}  // namespace coffer::vault
