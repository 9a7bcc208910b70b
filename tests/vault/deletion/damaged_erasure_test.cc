// What does not open is erased like everything else: when somebody asks for it, and when the ledger
// says so at a start.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

class DamagedVault : public TestVault {
 public:
  void DamageKeyOf(const ClientId& client) {
    Close();
    {
      const Database keys = OpenKeysDatabase(false);
      auto damage = Statement::Prepare(
          keys, "UPDATE client_keys SET wrapped = zeroblob(length(wrapped)) WHERE client = ?");
      REQUIRE(damage);
      REQUIRE(damage->Execute(client.Row()));
    }
  }
};

}  // namespace

TEST_CASE("a client whose key does not open is erased when somebody asks for it") {
  DamagedVault vault;
  const ClientId client = vault.NewClient("D-1");
  vault.NewContact(client, {{"last_name", "Doe"}});
  vault.DamageKeyOf(client);
  vault.Open();
  const auto erased = vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {});
  CHECK(AnswerOf(erased) == "ok");
  CHECK(vault.Number("SELECT count(*) FROM clients WHERE id = ?", client.Row()) == 0);
  CHECK(vault.Number("SELECT (SELECT count(*) FROM client_refs) + (SELECT count(*) FROM "
                     "client_refs_odd) + (SELECT count(*) FROM index_arrivals WHERE place >= 2)") ==
        0);
}

TEST_CASE("what stops the erasure of a client whose key does not open is lifted with a reason") {
  DamagedVault vault;
  const ClientId client = vault.NewClient("D-1");
  HoldRequest hold;
  hold.client = client;
  hold.reason = "sued";
  hold.case_number = "C-1";
  hold.review_due = Timestamp{vault.clock.Now().ms + 1000};
  const auto placed = vault->holds().PlaceHold(vault.As(kPrivacyOfficer), hold);
  REQUIRE(placed);
  RestrictionRequest restriction;
  restriction.basis = "disputed";
  restriction.stops.all_but = true;
  const auto restricted =
      vault->restrictions().Restrict(vault.As(kPrivacyOfficer), client, restriction);
  REQUIRE(restricted);
  vault.DamageKeyOf(client);
  vault.Open();
  const auto caller = [&] {
    return vault.As(kPrivacyOfficer, std::string(vault.kPurpose), "settled");
  };
  CHECK(AnswerOf(vault->holds().ListHolds(vault.As(kPrivacyOfficer), {}, false, {})) == "ok");
  CHECK(AnswerOf(vault->holds().GetHold(vault.As(kPrivacyOfficer), placed->id)) ==
        "integrity_failed");
  CHECK(AnswerOf(vault->restrictions().LiftRestriction(caller(), client, restricted->id)) == "ok");
  CHECK(AnswerOf(vault->holds().LiftHold(caller(), placed->id)) == "ok");
  CHECK(AnswerOf(vault->erasures().Erase(caller(), client, {})) == "ok");
}

TEST_CASE("a client whose key does not open is erased again after a restore") {
  DamagedVault vault;
  const ClientId client = vault.NewClient("D-1");
  vault.NewContact(client, {{"last_name", "Doe"}});
  vault.Close();
  const std::string before = vault.directory() + ".before";
  fs::copy(vault.directory(), before, fs::copy_options::recursive);
  vault.Open();
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {}));
  vault.Close();
  fs::copy(vault.directory() + "/erasures.ledger", before + "/erasures.ledger",
           fs::copy_options::overwrite_existing);
  fs::remove_all(vault.directory());
  fs::rename(before, vault.directory());
  vault.DamageKeyOf(client);
  const auto opened = vault.TryOpen();
  CHECK(AnswerOf(opened) == "ok");
  if (!opened) return;
  CHECK(vault.Number("SELECT count(*) FROM clients WHERE id = ?", client.Row()) == 0);
}

TEST_CASE("of a record whose tokens do not open nothing stays in the index when it is erased") {
  DamagedVault vault;
  const ClientId client = vault.NewClient("D-1");
  const RecordId damaged = vault.NewContact(client, {{"last_name", "Doe"}});
  const RecordId first = vault.NewContact(client, {{"last_name", "Roe"}});
  vault.Close();
  vault.Tamper("UPDATE records SET tokens = zeroblob(length(tokens)) WHERE id = ?", damaged.Row());
  vault.Open();
  const auto rows = [&](const RecordId& record) {
    return vault.Number(
        "SELECT (SELECT count(*) FROM blind_index WHERE record = ?1) + (SELECT count(*) FROM "
        "blind_index_odd WHERE record = ?1) + (SELECT count(*) FROM index_arrivals WHERE owner = "
        "?1 AND place < 2)",
        record.Row());
  };
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client,
                                  {ErasureBasis::kUnlawful, {}, {first}}));
  SECTION("and it is found again once the index was made anew") {
    const auto found = [&] {
      const auto page =
          vault->searches().SearchByField(vault.As(kCrmService), "contact", "last_name", "Doe", {});
      REQUIRE(page);
      return page->items.size();
    };
    const ClientId gone = vault.NewClient("D-2");
    REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), gone, {}));
    vault.clock.Advance(std::int64_t{11} * 24 * 3600 * 1000);
    for (bool more = true; more;) {
      const auto stepped = vault->index_builder().Step();
      INFO(AnswerOf(stepped));
      REQUIRE(stepped);
      more = *stepped;
    }
    CHECK(found() == 1);
  }
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client,
                                  {ErasureBasis::kUnlawful, {}, {damaged}}));
  CHECK(rows(damaged) == 0);
}

}  // namespace coffer::vault
