// An exchange of the client-KEK, killed before each of its calls to the storage: every client is
// read after each start, and in the end one key is left that all are wrapped under.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

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
    if (!BeginKeyExchange(directory(), root(), crypto::KeysInUse::kClients)) return false;
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

namespace {

class DatabasesDyingVault : public CrashingVault {
 public:
  DatabasesDyingVault()
      : CrashingVault(Settings{.keys_rewrite_after_ms = 0, .keys_rewrite_interval_ms = 0}) {
    for (int i = 0; i < 2; ++i) Add();
  }
  void Add() {
    clients.push_back(NewClient("D-" + std::to_string(clients.size())));
    records.push_back(NewContact(clients.back(), {{"last_name", "Doe"}}));
  }
  bool Exchange() {
    if (!BeginKeyExchange(directory(), root(), crypto::KeysInUse::kDatabases)) return false;
    return (*this)->key_exchange().Step() && AwaitWritten() &&
           FinishDatabaseKeyExchange(directory(), root()).has_value();
  }
  bool AwaitWritten() {
    for (int i = 0; i < 20'000 && (*this)->key_exchange().writing(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return (*this)->key_exchange().Step().has_value() && !(*this)->key_exchange().writing();
  }
  std::vector<std::uint32_t> Keys() {
    const auto header = crypto::Keyring::ReadHeader(KeyringPath(directory()));
    REQUIRE(header);
    return header->versions.at("vault-db");
  }
  void CheckAllRead() {
    for (std::size_t i = 0; i < clients.size(); ++i) CHECK(Read(clients[i], records[i]) != "");
  }

  std::vector<ClientId> clients;
  std::vector<RecordId> records;
};

}  // namespace

TEST_CASE("an exchange of the databases' keys that dies goes on, and all is read at each time") {
  DatabasesDyingVault vault;
  vault.DieAt(
      {.deaths = 16},
      [&](const auto& answered) {
        if (!BeginKeyExchange(vault.directory(), vault.root(), crypto::KeysInUse::kDatabases)) {
          return false;
        }
        if (!vault->key_exchange().Step()) return false;
        // What is acknowledged while vault.db is copied.
        for (int i = 0; i < 4; ++i) {
          const auto client = vault->clients().CreateClient(vault.As(Role::kCrmService),
                                                            {"N-" + std::to_string(i), {}}, {});
          if (!client) return false;
          answered("N-" + std::to_string(i));
        }
        return vault.AwaitWritten() &&
               FinishDatabaseKeyExchange(vault.directory(), vault.root()).has_value();
      },
      [&](const Answers& answers) {
        vault.CheckAllRead();
        CHECK(vault.Number("SELECT count(*) FROM clients") >=
              static_cast<std::int64_t>(vault.clients.size() + answers.size()));
        if (vault.Keys().size() == 2) {
          REQUIRE(vault.AwaitWritten());
          vault.Close();
          vault.Open();
        } else if (vault.Keys().front() == 1) {
          REQUIRE(vault.Exchange());
        }
        CHECK(vault.Keys() == std::vector<std::uint32_t>{2});
        REQUIRE(vault->key_exchange().Step());
        vault.CheckAllRead();
        CHECK_FALSE(
            std::filesystem::exists(NextVaultDatabasePath(VaultDatabasePath(vault.directory()))));
        // All but that keys.db may have the key of a client that was never there: it is committed
        // first (vault/engine/engine.h).
        vault.OpenVault::CheckInvariants();
        vault.CheckRows();
        CHECK(DatabasesDyingVault::NumberIn(vault.OpenKeysDatabase(),
                                            "SELECT count(DISTINCT client) FROM client_keys") >=
              vault.Number("SELECT count(*) FROM clients"));
      });
}

}  // namespace coffer::vault
