// A recovery that is killed before each of its calls to the storage, and run again: one log goes
// on, with one succession, and nothing that was there is lost.
#include <catch2/catch_test_macros.hpp>

#include "audit/entries/succession.h"
#include "crypto/atomic_file.h"
#include "tests/crash/crashing_vault.h"
#include "vault/backup/restored_copy.h"
#include "vault/oversight/verify_directory.h"
#include "vault/recovery.h"
#include "vault/storage/data_directory.h"

namespace coffer::vault {
namespace {

using enum Role;

class RecoveredVault : public CrashingVault {
 public:
  RecoveredVault() {
    client = NewClient("A-1");
    record = NewContact(client, {{"last_name", "Doe"}});
    Close();
  }
  bool Recover() {
    VaultOptions options;
    options.directory = directory();
    options.require_locked_memory = false;
    options.clock = &clock;
    const auto done = RecoverVault(options, root(), {});
    if (!done) UNSCOPED_INFO(done.error().reason << " " << done.error().detail);
    return done.has_value();
  }
  void CheckOneSuccession() {
    OfflineVerifyOptions verify;
    verify.directory = directory();
    verify.deep = true;
    const auto report = VerifyDirectory(verify, root());
    REQUIRE(report);
    for (const auto& finding : report->log.findings) UNSCOPED_INFO(finding.message);
    CHECK(report->log.ok());
    CHECK(report->log.successions.size() == 1);
    CHECK(report->log.name == audit::SuccessorName(kOrigin));
    CHECK(Read(client, record) != "");
  }

  ClientId client;
  RecordId record;
  std::size_t unfinished = 0;

 protected:
  bool Begin() override { return true; }
  void GoOn() override {
    if (TryOpen()) return;
    ++unfinished;
    REQUIRE(Recover());
    Open();
  }
};

}  // namespace

TEST_CASE("a recovery that dies is done by the same again") {
  RecoveredVault vault;
  RestoredCopy copy;
  copy.repository = "r";
  copy.generation = "bkp";
  copy.newest_log = TestVault::kOrigin;
  copy.Sign(vault.OpenKeyring());
  REQUIRE(WriteRestoredCopy(vault.directory(), copy));
  vault.DieAt(
      {.deaths = 15}, [&](const auto&) { return vault.Recover(); },
      [&](const Answers&) { vault.CheckOneSuccession(); });
  CHECK(vault.unfinished > 0);
}

}  // namespace coffer::vault
