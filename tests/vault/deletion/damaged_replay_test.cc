// An older state is put back, in which something does not open: what the ledger names is erased
// again all the same, what does not open is named, and the rest of the vault opens.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

class DamagedRestore : public TestVault {
 public:
  DamagedRestore() {
    damaged = NewClient("D-1");
    whole = NewClient("W-1");
    for (const ClientId& client : {damaged, whole}) {
      gone.push_back(NewContact(client, {{"last_name", "Doe"}}));
      kept.push_back(NewContact(client, {{"last_name", "Roe"}}));
    }
    Close();
    before_ = directory() + ".before";
    fs::copy(directory(), before_, fs::copy_options::recursive);
    Open();
    const ClientId clients[] = {damaged, whole};
    for (std::size_t i = 0; i < 2; ++i) {
      REQUIRE((*this)->erasures().Erase(As(kPrivacyOfficer), clients[i],
                                        {ErasureBasis::kUnlawful, {}, {gone[i]}}));
    }
    Close();
    fs::copy(directory() + "/erasures.ledger", before_ + "/erasures.ledger",
             fs::copy_options::overwrite_existing);
    fs::remove_all(directory());
    fs::rename(before_, directory());
  }
  std::size_t Alarms() {
    std::size_t alarms = 0;
    for (const auto& entry : WholeLog()) {
      alarms += entry.action == "integrity.alarm" && entry.outcome == "replay_incomplete" &&
                entry.client == damaged.Text();
    }
    return alarms;
  }
  std::string Read(const ClientId& client, const RecordId& record) {
    return AnswerOf((*this)->records().GetRecord(As(kCrmService), client, record));
  }

  ClientId damaged, whole;
  std::vector<RecordId> gone, kept;

 private:
  std::string before_;
};

}  // namespace

TEST_CASE("one object that does not open keeps neither its client's erasure nor the vault") {
  DamagedRestore vault;
  SECTION("a profile") {
    vault.Tamper("UPDATE clients SET profile = zeroblob(length(profile)) WHERE id = ?",
                 vault.damaged.Row());
    vault.Open();
    CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), vault.damaged)) ==
          "integrity_failed");
    CHECK(vault.Read(vault.damaged, vault.kept[0]) == "ok");
  }
  SECTION("a record") {
    vault.Tamper("UPDATE records SET payload = zeroblob(length(payload)) WHERE id = ?",
                 vault.kept[0].Row());
    vault.Open();
    CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), vault.damaged)) == "ok");
    CHECK(vault.Read(vault.damaged, vault.kept[0]) == "integrity_failed");
  }
  SECTION("the client's key") {
    {
      const Database keys = vault.OpenKeysDatabase(false);
      auto damage = Statement::Prepare(
          keys, "UPDATE client_keys SET wrapped = zeroblob(length(wrapped)) WHERE client = ?");
      REQUIRE(damage);
      REQUIRE(damage->Execute(vault.damaged.Row()));
    }
    vault.Open();
    CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), vault.damaged)) ==
          "integrity_failed");
    CHECK(vault.Read(vault.damaged, vault.kept[0]) == "integrity_failed");
  }
  CHECK(vault.Alarms() == 1);
  CHECK(vault.Number("SELECT count(*) FROM records WHERE id = ?", vault.gone[0].Row()) == 0);
  CHECK(vault.Read(vault.whole, vault.gone[1]) == "not_found");
  CHECK(vault.Read(vault.whole, vault.kept[1]) == "ok");
  CHECK(vault.Number("SELECT count(*) FROM erasures WHERE state = 2") == 2);
  vault.Close();
  vault.Open();
  CHECK(vault.Alarms() == 1);
}

}  // namespace coffer::vault
