// A backup that dies at every step: whole generations stay whole, half ones are none.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "tests/crash/crashing_vault.h"
#include "vault/backup/repository_report.h"
#include "vault/backup/restoration.h"

namespace coffer::vault {
namespace {

using enum Role;

// In the data directory, whose writing calls are the ones that are counted.
testing::OpenVault::Settings WithDestinations() {
  testing::OpenVault::Settings settings;
  settings.backup_destinations = {{"disk", BackupKind::kData, "data/copies", 1},
                                  {"keys", BackupKind::kKeys, "data/copies-of-keys", 1}};
  return settings;
}

class CopiedVault : public CrashingVault {
 public:
  CopiedVault() : CrashingVault(WithDestinations()) {
    for (const char* name : {"disk", "keys"}) {
      REQUIRE((*this)->backups().InitializeDestination(As(kAdministrator), name));
    }
    client = NewClient("A-1");
    record = NewContact(client, {{"last_name", "Doe"}});
    REQUIRE(BackUp());
  }

  std::optional<std::string> BackUp() {
    const auto run = (*this)->backups().RunBackup(As(kAdministrator));
    if (run && run->complete()) return run->generation;
    for (const auto& done : run ? run->destinations : std::vector<DestinationRun>()) {
      UNSCOPED_INFO(done.name << ": " << done.problem);
    }
    return std::nullopt;
  }
  std::string Data() const { return directory() + "/copies"; }
  std::string Keys() const { return directory() + "/copies-of-keys"; }

  std::vector<std::string> WholeGenerations(const std::string& repository) {
    const audit::VerifierKey key{std::string(kOrigin),
                                 OpenKeyring().log_signing_key()->public_key()};
    const auto report = VerifyRepository(repository, {&key, 1});
    REQUIRE(report);
    CHECK(report->findings == Strings{});
    return report->generations;
  }
  // The client is what was committed, and is there as soon as it is said.
  std::optional<std::string> AddAndIncrement(const std::string& name) {
    const auto made = (*this)->clients().CreateClient(As(kCrmService), {name, {}}, {});
    UNSCOPED_INFO("made " << AnswerOf(made));
    if (!made || !(*this)->backup_runner().MakeIncrements()) return std::nullopt;
    for (const auto& progress : (*this)->backup_runner().writer().Progress()) {
      if (progress.problem.empty()) continue;
      UNSCOPED_INFO(progress.problem);
      return std::nullopt;
    }
    return made->id.Text();
  }
  void CheckRestored(const std::string& generation) {
    const std::string into = work() / "restored";
    std::filesystem::remove_all(into);
    const auto restored =
        RestoreVault({Data(), Keys(), generation, into},
                     [this](const std::string&) { return crypto::OpenKeyFile(root_key_file()); });
    INFO(AnswerOf(restored) << " " << (restored ? "" : restored.error().detail));
    REQUIRE(restored);
    OfflineVerifyOptions options;
    options.directory = into;
    options.deep = true;
    const auto report = VerifyDirectory(options, root());
    REQUIRE(report);
    CHECK(report->log.findings.empty());
    CHECK(report->records_checked >= 1);
  }
  // The newest moment that is there has all of these clients.
  void CheckNewest(const Answers& answers) {
    CheckRestored({});
    VaultOptions options;
    options.directory = work() / "restored";
    options.open_restored_copy = true;
    options.require_locked_memory = false;
    options.clock = &clock;
    auto opened = Vault::Open(options, root());
    REQUIRE(opened);
    for (const std::string& id : answers.all()) {
      const auto client = (*opened)->clients().GetClient(As(kCrmService), *ClientId::Parse(id));
      CHECK(AnswerOf(client) == "ok");
    }
  }

  ClientId client;
  RecordId record;
};

TEST_CASE("a backup that dies leaves whole generations, and the next run has one more") {
  CopiedVault vault;
  vault.NewContact(vault.client, {{"last_name", "Roe"}});
  vault.DieAt(
      {.deaths = 10},
      [&](const auto& answered) {
        const auto generation = vault.BackUp();
        if (generation) answered(*generation);
        return generation.has_value();
      },
      [&](const Answers& answers) {
        const auto whole = vault.WholeGenerations(vault.Data());
        REQUIRE(!whole.empty());
        CHECK(!vault.WholeGenerations(vault.Keys()).empty());
        CHECK(std::ranges::count_if(whole, [&](const auto& id) { return answers.Have(id); }) ==
              static_cast<std::ptrdiff_t>(answers.size()));
        vault.CheckRestored(whole.back());
        // What the crash left half written goes with the next run, which is later.
        vault.clock.Advance(1000);
        const auto next = vault.BackUp();
        REQUIRE(next);
        CHECK(std::ranges::count(vault.WholeGenerations(vault.Data()), *next) == 1);
        CHECK(std::ranges::count(vault.WholeGenerations(vault.Keys()), *next) == 1);
        for (const auto& repository : {vault.Data(), vault.Keys()}) {
          for (const auto& file : std::filesystem::recursive_directory_iterator(repository)) {
            const bool object = file.path().string().contains("/objects/");
            CHECK(!(object && file.path().extension() == ".tmp"));
            CHECK(file.path().filename() != "unfinished");
          }
        }
        vault.CheckRestored(*next);
        vault.clock.Advance(1000);
      });
}

TEST_CASE("an increment that dies leaves every moment before it, and they go on behind another") {
  CopiedVault vault;
  vault.DieAt(
      {.deaths = 10},
      [&](const auto& answered) {
        if (!vault.BackUp()) return false;
        for (const char* name : {"B-1", "B-2", "B-3"}) {
          const auto client = vault.AddAndIncrement(name);
          if (!client) return false;
          answered(*client);
        }
        return true;
      },
      [&](const Answers& answers) {
        CHECK(!vault.WholeGenerations(vault.Data()).empty());
        CHECK(!vault.WholeGenerations(vault.Keys()).empty());
        vault.CheckNewest(answers);
        vault.clock.Advance(1000);
        REQUIRE(vault.BackUp());
        Answers more = answers;
        const auto client = vault.AddAndIncrement("C-1");
        REQUIRE(client);
        more.Put(*client);
        vault.CheckNewest(more);
        CHECK(!vault.WholeGenerations(vault.Keys()).empty());
        vault.clock.Advance(1000);
      });
}

}  // namespace
}  // namespace coffer::vault
