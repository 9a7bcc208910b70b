// The exchange of the search index's key, killed before each of its calls to the storage: there is
// one whole index after each start, and in the end one key.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "tests/crash/crashing_vault.h"

namespace coffer::vault {
namespace {

using enum Role;
constexpr std::int64_t kCrashDayMs = std::int64_t{24} * 3600 * 1000;

class ExchangedVault : public CrashingVault {
 public:
  ExchangedVault() : CrashingVault(Settings{.index_arrivals = 3, .index_rows_per_step = 2}) {
    client = NewClient("C-1");
    for (int i = 0; i < 5; ++i) NewContact(client, {{"last_name", "Doe"}});
    for (int i = 2; i < 5; ++i)
      NewContact(NewClient("C-" + std::to_string(i)), {{"last_name", "Roe"}});
    going = NewClient("C-9");
    NewContact(going, {{"last_name", "Doe"}});
    REQUIRE((*this)->erasures().Erase(As(kPrivacyOfficer), NewClient("C-0"), {}));
    clock.Advance(11 * kCrashDayMs);
  }

  bool Exchange() {
    for (int steps = 0; steps < 1000; ++steps) {
      const auto stepped = (*this)->index_builder().Step();
      if (!stepped) return false;
      if (!*stepped) return true;
    }
    return false;
  }
  std::size_t Found(const char* name) {
    const auto found =
        (*this)->searches().SearchByField(As(kCrmService), "contact", "last_name", name, {});
    INFO(AnswerOf(found));
    REQUIRE(found);
    return found->items.size();
  }
  void CheckWhole(std::size_t does) {
    CHECK(Found("doe") == does);
    CHECK(Found("roe") == 3);
    for (int i = 1; i < 5; ++i) {
      const std::string ref = "C-" + std::to_string(i);
      CHECK((*this)->searches().SearchByReference(As(kCrmService), ref)->items.size() == 1);
      CHECK(AnswerOf((*this)->clients().CreateClient(As(kCrmService), {.external_ref = ref}, {})) ==
            "external_ref_taken");
    }
    CheckInvariants();
  }
  void CheckEnd(std::size_t does) {
    REQUIRE(Exchange());
    CheckWhole(does);
    CHECK((*this)->monitoring().ReadStatus(As(kAdministrator))->index.generation >= 2);
    const Database keys = OpenKeysDatabase();
    CHECK(NumberIn(keys, "SELECT count(*) FROM index_keys") == 1);
    CHECK(NumberIn(keys, "SELECT generation FROM index_keys") ==
          Number("SELECT live FROM index_state"));
    CHECK(Number("SELECT count(*) FROM (SELECT token FROM " +
                 IndexRows(OpenVaultDatabase(), "blind_index", false) + ")") == 0);
  }

  // Cut at any frame, the WAL has nothing of a client that is erased.
  void CheckWalWithout(const ClientId& erased) {
    constexpr std::uintmax_t kHeader = 32, kFrame = 24 + 4096;
    const std::string path = directory() + "/vault.db";
    const std::string cut = work() / "cut.db";
    const auto key = OpenKeyring();
    const auto size = std::max(std::filesystem::file_size(path + "-wal"), kHeader);
    for (std::uintmax_t length = kHeader; length <= size; length += kFrame) {
      const auto overwrite = std::filesystem::copy_options::overwrite_existing;
      std::filesystem::remove(cut + "-shm");
      std::filesystem::copy_file(path, cut, overwrite);
      std::filesystem::copy_file(path + "-wal", cut + "-wal", overwrite);
      if (length < size) std::filesystem::resize_file(cut + "-wal", length);
      auto opened = Database::Open(cut, key.vault_db_key(), {});
      REQUIRE(opened);
      CHECK(NumberIn(*opened, "SELECT count(*) FROM clients WHERE id = ?", erased.Row()) == 0);
    }
  }

  ClientId client, going;
};

TEST_CASE("an exchange of the index that dies goes on, and all is found at each time") {
  ExchangedVault vault;
  std::set<std::uint64_t> generations;
  vault.DieAt(
      {.deaths = 12}, [&](const auto&) { return vault.Exchange(); },
      [&](const Answers&) {
        vault.CheckWhole(6);
        generations.insert(
            vault->monitoring().ReadStatus(vault.As(kAdministrator))->index.generation);
        vault.CheckEnd(6);
      });
  CHECK(generations.contains(1));
}

TEST_CASE("an erasure in the middle of an exchange that dies is done in both, or in neither") {
  ExchangedVault vault;
  for (int i = 0; i < 6; ++i) REQUIRE(vault->index_builder().Step());
  vault.DieAt(
      {},
      [&](const auto& answered) {
        const auto erased = vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.going, {});
        if (erased) answered(erased->id.Text());
        return erased && vault.Exchange();
      },
      [&](const Answers& answers) {
        const auto erasures = vault.ErasuresOf(vault.going);
        CHECK((answers.size() == 0 || erasures.size() == 1));
        const std::size_t does = erasures.empty() ? 6 : 5;
        if (!erasures.empty()) vault.CheckWalWithout(vault.going);
        vault.CheckWhole(does);
        vault.CheckEnd(does);
      });
}

TEST_CASE("an index that is made by other rules and dies goes on, and all is found at each time") {
  ExchangedVault vault;
  const ClientId client = vault.NewClient("C-10");
  for (const char* name : {"Щёткин", "Щеткин"}) vault.NewContact(client, {{"last_name", name}});
  const auto put = [&](const json& index) {
    json contact = json::parse(testing::ReadShippedFile("classes/contact.json"));
    contact["fields"]["last_name"]["index"] = index;
    vault.PutClass(contact);
  };
  put(true);
  REQUIRE(vault.Exchange());
  CHECK(vault.Found("щеткин") == 1);
  put("loose");
  const auto found = [&] { return vault.Found("щеткин") == 2 && vault.Found("ЩЁТКИН") == 2; };
  CHECK(found());
  vault.DieAt(
      {.deaths = 12}, [&](const auto&) { return vault.Exchange(); },
      [&](const Answers&) {
        CHECK(found());
        vault.CheckWhole(6);
        CHECK(found());
        vault.CheckEnd(6);
        CHECK(found());
      });
}

}  // namespace
}  // namespace coffer::vault
