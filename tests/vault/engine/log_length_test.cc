// A log whose end was cut off, with whatever else an intruder put back beside it: what stays and
// says how long the log was stops the start.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "tests/vault/deletion/retaining_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

class CutVault : public RetainingVault {
 public:
  CutVault() {
    Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
    Close();
    fs::copy_file(anchor(), work() / "anchor");
    size_ = Number("SELECT max(seq) + 1 FROM log_entries");
    Open();
    const ClientId client = NewClient("A-1");
    NewContact(client, {{"last_name", "Roe"}});
    const auto erasure = (*this)->erasures().Erase(As(kPrivacyOfficer), client, {});
    REQUIRE(erasure);
    REQUIRE((*this)->erasure_acts().ReadAct(As(kAuditor), erasure->id, {}));
    Run();
    REQUIRE((*this)->purposes().PutPurpose(As(kAdministrator), "later",
                                           R"({"title": "Later", "legal_basis": "contract"})"));
    Close();
  }
  // Back to the first anchor: that alone is what the start compared once.
  void Cut() {
    fs::copy_file(work() / "anchor", anchor(), fs::copy_options::overwrite_existing);
    Tamper("DELETE FROM log_entries WHERE seq >= ?", size_);
  }
  void ForgetCheckpoint() { Tamper("DELETE FROM log_checkpoint"); }
  void ForgetErasures() { Tamper("UPDATE erasures SET seq = 0"); }
  void ForgetActs() { Tamper("UPDATE erasures SET act = NULL"); }
  void ForgetRuns() { Tamper("UPDATE retention_runs SET first_seq = 0, last_seq = 0"); }
  void ForgetState() { Tamper("DELETE FROM committed_state"); }
  std::string anchor() const { return directory() + "/anchor"; }
  std::string Refusal() {
    const auto opened = TryOpen();
    if (opened) return "opened";
    CHECK(opened.error().detail.find("operator's guide") != std::string::npos);
    return std::string(opened.error().reason) + ": " + opened.error().detail;
  }

 private:
  std::int64_t size_ = 0;
};

}  // namespace

TEST_CASE("each thing that says how long the log was stops the start, and is named") {
  using Forget = void (CutVault::*)();
  struct Place {
    const char* reason;
    const char* named;
    Forget forget;
  };
  const Place places[] = {
      {"log_behind_checkpoint", "the last signed checkpoint in vault.db",
       &CutVault::ForgetCheckpoint},
      {"log_behind_state", "the state that the log commits to", &CutVault::ForgetState},
      {"log_behind_state", "the register of erasures", &CutVault::ForgetErasures},
      {"log_behind_state", "the runs of retention", &CutVault::ForgetRuns},
      {"log_behind_checkpoint", "the checkpoint in the act of era_", &CutVault::ForgetActs},
  };
  for (const Place& present : places) {
    INFO(present.named);
    CutVault vault;
    vault.Cut();
    for (const Place& other : places) {
      if (&other != &present) (vault.*other.forget)();
    }
    const std::string refusal = vault.Refusal();
    INFO(refusal);
    CHECK(refusal.starts_with(present.reason));
    CHECK(refusal.find(present.named) != std::string::npos);
  }
}

TEST_CASE("tiles that are left of a longer log stop the start") {
  CutVault vault;
  vault.Tamper("INSERT INTO log_tiles (level, n, hashes) VALUES (0, 40, zeroblob(8192))");
  CHECK(vault.Refusal().find("the tiles of the log in vault.db knew of entry 10495") !=
        std::string::npos);
}

TEST_CASE("a checkpoint in vault.db of another history stops the start") {
  CutVault vault;
  vault.Open();
  const std::string note = vault->monitoring().ReadStatus(vault.As(kAdministrator))->checkpoint;
  vault.Close();
  // The same entries but one, which no anchor covers.
  fs::copy_file(vault.work() / "anchor", vault.anchor(), fs::copy_options::overwrite_existing);
  vault.Tamper(
      "UPDATE log_entries SET entry = CAST(replace(CAST(entry AS TEXT), 'Roe', 'Doe') || ' ' AS "
      "BLOB) WHERE seq = (SELECT max(seq) FROM log_entries)");
  CHECK(vault.Refusal().find("checkpoint_mismatch") != std::string::npos);
}

TEST_CASE("the offline verification compares with the checkpoint in vault.db as well") {
  CutVault vault;
  vault.Cut();
  OfflineVerifyOptions options;
  options.directory = vault.directory();
  const auto report = VerifyDirectory(options, vault.root());
  REQUIRE(report);
  CHECK_FALSE(report->log.ok());
}

}  // namespace coffer::vault
