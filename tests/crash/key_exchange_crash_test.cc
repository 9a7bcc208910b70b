// An exchange of the client-KEK, killed before each of its calls to the storage: every client is
// read after each start, and in the end one key is left that all are wrapped under.
#include <catch2/catch_test_macros.hpp>

#include "crypto/aead.h"
#include "tests/crash/crashing_vault.h"
#include "vault/key_exchange.h"

namespace coffer::vault {
namespace {

using enum Role;

class KeysDyingVault : public CrashingVault {
 public:
  KeysDyingVault() : CrashingVault(Settings{.keys_rows_per_step = 2}) {
    for (int i = 0; i < 5; ++i) {
      clients.push_back(NewClient("K-" + std::to_string(i)));
      records.push_back(NewContact(clients.back(), {{"last_name", "Doe"}}));
    }
  }
  // What the command and the server do, without assertions: also in a child.
  bool Exchange() {
    if (!BeginClientKekExchange(directory(), root())) return false;
    if (!WrapAll()) return false;
    return FinishClientKekExchange(directory(), root()).has_value();
  }
  bool WrapAll() {
    for (int steps = 0; steps < 100; ++steps) {
      const auto stepped = (*this)->key_exchange().Step();
      if (!stepped) return false;
      if (!*stepped) return true;
    }
    return false;
  }
  std::vector<std::uint32_t> Keks() {
    const auto header = crypto::Keyring::ReadHeader(KeyringPath(directory()));
    REQUIRE(header);
    return header->versions.at("client-kek");
  }
  void CheckAllRead() {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      CHECK(Read(clients[i], records[i]) != "");
    }
  }

  std::vector<ClientId> clients;
  std::vector<RecordId> records;
};

}  // namespace

TEST_CASE("an exchange of the client-KEK that dies goes on, and all is read at each time") {
  KeysDyingVault vault;
  std::set<std::size_t> versions;
  vault.DieAt(
      {.deaths = 12}, [&](const auto&) { return vault.Exchange(); },
      [&](const Answers&) {
        vault.CheckAllRead();
        const auto keks = vault.Keks();
        versions.insert(keks.size());
        // Begun, and not through: the same command again, or nothing but the start.
        if (keks.size() == 2) {
          REQUIRE(vault.WrapAll());
          vault.Close();
          vault.Open();
        } else if (keks.front() == 1) {
          REQUIRE(vault.Exchange());
        }
        CHECK(vault.Keks() == std::vector<std::uint32_t>{2});
        CHECK_FALSE(*vault->key_exchange().Step());
        vault.CheckAllRead();
        const Database keys = vault.OpenKeysDatabase();
        auto select = Statement::Prepare(keys, "SELECT wrapped FROM client_keys");
        REQUIRE(select);
        auto rows = select->Query();
        while (*rows.Next()) CHECK(crypto::KeyIdOf(rows.Blob(0)) == 2U);
        vault.CheckInvariants();
      });
  CHECK(versions.contains(2));
}

}  // namespace coffer::vault
