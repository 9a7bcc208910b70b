// Acts that protect, by a process that dies before each of its calls to the storage: what was
// answered is in force, and the ledger has it, once; and an older state in which they are done
// again by a start that dies.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

#include "tests/crash/crashing_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

class ActingVault : public CrashingVault {
 public:
  ActingVault() {
    client = NewClient("A-1");
    token = *NewTokenFor("case-worker", 3600, "desk");
  }

  // Each answers with what it did.
  bool Act(const Answered& answered) {
    const auto hold = (*this)->holds().PlaceHold(
        As(kPrivacyOfficer), {client,
                              {},
                              {},
                              "Claim by a neighbour",
                              "K-1",
                              Timestamp{clock.Now().ms + std::int64_t{30} * 24 * 3600 * 1000}});
    if (!hold) return false;
    answered("hold");
    if (!(*this)->restrictions().Restrict(As(kPrivacyOfficer), client, {{}, "disputed", {}})) {
      return false;
    }
    answered("restriction");
    if (!(*this)->tokens().RevokeToken(As(kAdministrator), token.info.id)) return false;
    answered("token");
    return true;
  }
  bool IsHeld() {
    return !(*this)->holds().ListHolds(As(kAuditor), client, false, {})->items.empty();
  }
  bool IsRestricted() {
    return !(*this)->restrictions().ListRestrictions(As(kPrivacyOfficer), client)->empty();
  }
  bool IsRevoked() { return AnswerOf((*this)->tokens().WhoAmI(Stranger(token.secret))) != "ok"; }
  // The ledger has each act that the vault knows, once, and no other.
  void CheckLines() {
    std::ifstream ledger(directory() + "/erasures.ledger");
    std::size_t lines = 0;
    for (std::string line; std::getline(ledger, line);) ++lines;
    CHECK(static_cast<std::int64_t>(lines) == Number("SELECT count(*) FROM protective_acts"));
  }

  ClientId client;
  NewToken token;
};

}  // namespace

TEST_CASE("an act that protects while the process dies is done or not, and the ledger has it") {
  ActingVault vault;
  vault.DieAt(
      {.deaths = 8}, [&](const CrashingVault::Answered& answered) { return vault.Act(answered); },
      [&](const Answers& answers) {
        CHECK((vault.IsHeld() || !answers.Have("hold")));
        CHECK((vault.IsRestricted() || !answers.Have("restriction")));
        CHECK((vault.IsRevoked() || !answers.Have("token")));
        vault.CheckLines();
        vault.CheckInvariants();
      });
}

TEST_CASE("acts that a dying start puts in force again are all in force after the next one") {
  ActingVault vault;
  vault.Close();
  const std::string before = vault.directory() + ".before";
  fs::copy(vault.directory(), before, fs::copy_options::recursive);
  vault.Open();
  REQUIRE(vault.Act([](const std::string&) {}));
  vault.Close();
  fs::copy(vault.directory() + "/erasures.ledger", before + "/erasures.ledger",
           fs::copy_options::overwrite_existing);
  fs::remove_all(vault.directory());
  fs::rename(before, vault.directory());
  vault.DieAt(
      {.deaths = 8}, [](const CrashingVault::Answered&) { return true; },
      [&](const Answers&) {
        CHECK(vault.IsHeld());
        CHECK(vault.IsRestricted());
        CHECK(vault.IsRevoked());
        vault.CheckLines();
        std::size_t told = 0;
        for (const auto& entry : vault.WholeLog()) told += entry.action == "act.replayed" ? 1U : 0U;
        CHECK(told == 3);
        vault.CheckInvariants();
      });
}

}  // namespace coffer::vault
