// Whatever an honest vault has behind it, the comparison with the log has nothing to say about it.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "tests/vault/oversight/scrubbed_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

class HonestVault : public ScrubbedVault {
 public:
  void CheckHonest(std::string_view after) {
    INFO(after);
    CHECK(Scrub().damaged == 0);
    CHECK(SystemEntries("integrity.alarm").empty());
    CHECK(DeepFindings() == "");
    for (const std::string& line : operator_log()) {
      INFO(line);
      CHECK(line.find("damaged") == std::string::npos);
    }
  }
  void Exchange() {
    for (int i = 0; i < 20'000; ++i) {
      const auto stepped = (*this)->index_builder().Step();
      REQUIRE(stepped);
      if (!*stepped) return;
    }
  }
  void Update(const ClientId& client, const RecordId& record, std::uint64_t version) {
    const auto updated =
        (*this)->records().UpdateRecord(As(kCrmService), client, record, version,
                                        {{"last_name", "Name" + std::to_string(version)}});
    INFO(AnswerOf(updated));
    REQUIRE(updated);
  }
  void Erase(const ClientId& client, const ErasureRequest& request = {}) {
    const auto erased = (*this)->erasures().Erase(As(kPrivacyOfficer), client, request);
    INFO(AnswerOf(erased));
    REQUIRE(erased);
  }
};

}  // namespace

TEST_CASE("of a vault that did all there is to be done the comparison says nothing") {
  HonestVault vault;
  vault.Exchange();
  std::vector<ClientId> clients;
  std::vector<RecordId> records;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(vault.NewClient("H-" + std::to_string(i), {"eu"}));
    for (int k = 0; k < 3; ++k) records.push_back(vault.Contact(clients.back()));
    vault.Interaction(clients.back());
    const auto imported = vault->imports().ImportRecord(
        vault.As(kCrmService), {"H-" + std::to_string(i), "contact", "home", {{"last_name", "I"}}});
    INFO(AnswerOf(imported));
    REQUIRE(imported);
    REQUIRE(vault->imports().ImportRecord(
        vault.As(kCrmService),
        {"H-" + std::to_string(i), "contact", "home", {{"last_name", "J"}}}));
    REQUIRE(vault->imports().ImportRecord(
        vault.As(kCrmService),
        {"H-" + std::to_string(i), "contact", "home", {{"last_name", "J"}}}));
    REQUIRE(vault->imports().ImportRecord(
        vault.As(kCrmService),
        {"N-" + std::to_string(i), "contact", "home", {{"last_name", "K"}}}));
  }
  vault.CheckHonest("making");
  vault.Close();
  const std::string before = vault.directory() + ".before";
  fs::copy(vault.directory(), before, fs::copy_options::recursive);
  vault.Open();

  for (std::size_t i = 0; i < 6; ++i) vault.Update(clients[i], records[3 * i], 1);
  for (std::size_t i = 0; i < 6; ++i) vault.Update(clients[i], records[3 * i], 2);
  for (const ClientId& client : {clients[0], clients[1]}) {
    RestrictionRequest restriction;
    restriction.basis = "disputed";
    restriction.stops.purposes = {"billing"};
    restriction.class_name = "interaction";
    const auto placed =
        vault->restrictions().Restrict(vault.As(kPrivacyOfficer), client, restriction);
    INFO(AnswerOf(placed));
  }
  const auto hold = vault.Hold(clients[5]);
  REQUIRE(vault->holds().LiftHold(vault.As(kPrivacyOfficer), hold));
  vault.Erase(clients[0]);
  vault.Erase(clients[1], {ErasureBasis::kUnlawful, "interaction", {}});
  vault.Erase(clients[2], {ErasureBasis::kUnlawful, {}, {records[6], records[7]}});
  vault.Erase(clients[2], {ErasureBasis::kUnlawful, {}, {records[8]}});
  REQUIRE(vault->records().DeleteRecord(vault.As(kCrmService), clients[3], records[10], {}));
  REQUIRE(vault->clients().UpdateClient(vault.As(kCrmService), clients[3], 1,
                                        {"H-3b", Strings{"eu", "vip"}}));
  vault.CheckHonest("erasing");
  vault.clock.Advance(11 * 24 * kRetentionHourMs);
  vault.Exchange();
  vault.CheckHonest("an exchange of the index");

  // An older state, and the newest ledger: all of it is repeated.
  vault.Close();
  fs::copy(vault.directory() + "/erasures.ledger", before + "/erasures.ledger",
           fs::copy_options::overwrite_existing);
  fs::remove_all(vault.directory());
  fs::rename(before, vault.directory());
  vault.Open();
  vault.CheckHonest("a restore");
  vault.clock.Advance(11 * 24 * kRetentionHourMs);
  vault.Exchange();
  vault.CheckHonest("an exchange after a restore");
}

TEST_CASE("of what retention erased the comparison says nothing") {
  HonestVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  vault.FillWithDue();
  const ClientId stays = vault.NewEnded("S-1");
  vault.Contact(stays);
  vault.Interaction(stays);
  vault.Close();
  const std::string before = vault.directory() + ".before";
  fs::copy(vault.directory(), before, fs::copy_options::recursive);
  vault.Open();
  CHECK(vault.Run().erased > 0);
  vault.CheckHonest("a run");
  vault.Close();
  fs::copy(vault.directory() + "/erasures.ledger", before + "/erasures.ledger",
           fs::copy_options::overwrite_existing);
  fs::remove_all(vault.directory());
  fs::rename(before, vault.directory());
  vault.Open();
  vault.CheckHonest("a restore");
  vault.Exchange();
  vault.CheckHonest("an exchange");
}

}  // namespace coffer::vault
