// The keys of vault.db and keys.db exchanged, while a vault is open and while it is not: everything
// is read and stored at every moment, and in the end the old keys open nothing.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "crypto/keys_database_key.h"
#include "tests/vault/test_vault.h"
#include "vault/key_exchange.h"
#include "vault/oversight/verify_directory.h"

namespace coffer::vault {
namespace {

using enum Role;
using DatabaseVersions = std::vector<std::uint32_t>;

class DatabasesExchanged : public TestVault {
 public:
  DatabasesExchanged()
      : TestVault(Settings{.keys_rewrite_after_ms = 0, .keys_rewrite_interval_ms = 0}) {
    for (int i = 0; i < 3; ++i) Add();
  }
  void Add() {
    clients.push_back(NewClient("D-" + std::to_string(made_++)));
    records.push_back(NewContact(clients.back(), {{"last_name", "Doe"}}));
  }
  void Erase(std::size_t i) {
    REQUIRE((*this)->erasures().Erase(As(kPrivacyOfficer), clients[i], {}));
    clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i));
    records.erase(records.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void CheckAllRead() {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      CHECK(AnswerOf((*this)->records().GetRecord(As(kCrmService), clients[i], records[i])) ==
            "ok");
    }
  }
  Result<KeyExchangeBegun> Begin() {
    return BeginKeyExchange(directory(), root(), crypto::KeysInUse::kDatabases);
  }
  Result<std::uint32_t> Finish() { return FinishDatabaseKeyExchange(directory(), root()); }
  void Step() {
    const auto stepped = (*this)->key_exchange().Step();
    INFO(AnswerOf(stepped) << " " << (stepped ? "" : stepped.error().detail));
    REQUIRE(stepped);
  }
  // The engine writes by itself.
  void AwaitWritten(const std::function<void()>& meanwhile = {}) {
    for (int i = 0; i < 20'000 && (*this)->key_exchange().writing(); ++i) {
      if (meanwhile) meanwhile();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    REQUIRE_FALSE((*this)->key_exchange().writing());
    Step();
  }
  KeyOverview Overview() {
    auto overview = (*this)->keys().ReadKeys(As(kSecurityOfficer));
    INFO(AnswerOf(overview));
    REQUIRE(overview);
    return *std::move(overview);
  }
  DatabaseVersions InFile(const char* name = "vault-db") {
    const auto header = crypto::Keyring::ReadHeader(KeyringPath(directory()));
    REQUIRE(header);
    return header->versions.at(name);
  }
  Strings KeyEvents() {
    Strings events;
    for (const auto& entry : WholeLog()) {
      if (entry.action.starts_with("key.")) events.push_back(entry.action + " " + entry.detail);
    }
    return events;
  }
  void CheckVerifies() {
    OfflineVerifyOptions options;
    options.directory = directory();
    options.deep = true;
    const auto report = VerifyDirectory(options, root());
    INFO(AnswerOf(report));
    REQUIRE(report);
    for (const auto& finding : report->log.findings) CHECK(finding.check == "");
  }
  std::string OpensBy(const crypto::SecretBytes& key) {
    return AnswerOf(Database::Open(VaultDatabasePath(directory()), key, {.read_only = true}));
  }
  std::string Next() { return NextVaultDatabasePath(VaultDatabasePath(directory())); }

  std::vector<ClientId> clients;
  std::vector<RecordId> records;

 private:
  int made_ = 0;
};

}  // namespace

TEST_CASE(
    "the databases' keys are exchanged while the vault serves, and the old ones open nothing") {
  DatabasesExchanged vault;
  CHECK(AnswerOf(vault.Finish()) == "nothing_to_finish");
  CHECK(vault.Overview().database->phase == DatabaseKeyPhase::kSettled);
  const crypto::Keyring old_keys = vault.OpenKeyring();
  const std::string key_path = KeysDatabaseKeyPath(KeysDatabasePath(vault.directory()));
  const auto old_page_keys = crypto::ReadKeysDatabaseKeys(key_path, old_keys);
  REQUIRE(old_page_keys);
  CHECK(vault.OpensBy(old_keys.vault_db_key()) == "ok");

  const auto begun = vault.Begin();
  REQUIRE(begun);
  CHECK((begun->version == 2 && begun->begun && begun->served));
  CHECK(vault.InFile() == DatabaseVersions{1, 2});
  CHECK(vault.InFile("keys-db") == DatabaseVersions{1, 2});
  CHECK(vault.Overview().database->phase == DatabaseKeyPhase::kWriting);
  CHECK(AnswerOf(vault.Finish()) == "rotation_unfinished");
  const auto again = vault.Begin();
  REQUIRE(again);
  CHECK((again->version == 2 && !again->begun));

  vault.Step();
  for (const char* name : {"vault-db", "keys-db"}) {
    CHECK_FALSE(std::filesystem::exists(HandedOverKeyPath(vault.directory(), name)));
  }
  int rounds = 0;
  vault.AwaitWritten([&] {
    if (rounds++ > 20) return;
    vault.Add();
    vault.CheckAllRead();
    if (rounds % 5 == 0) vault.Erase(0);
    CHECK((vault->key_exchange().writing() || AnswerOf(vault.Finish()) != "ok"));
  });
  CHECK(vault.Overview().database->phase == DatabaseKeyPhase::kWritten);
  CHECK(vault.OpensBy(old_keys.vault_db_key()) == "database_unreadable");
  CHECK_FALSE(std::filesystem::exists(vault.Next()));
  vault.Add();
  vault.CheckAllRead();
  // Searches of the log and of clients, which read by connections of their own.
  CHECK_FALSE(vault.WholeLog().empty());
  CHECK(AnswerOf(vault->verification().VerifyLog(vault.As(kSecurityOfficer), true)) == "ok");
  vault.CheckInvariants();

  CHECK(vault.Finish() == 2U);
  CHECK(vault.InFile() == DatabaseVersions{2});
  CHECK(vault.InFile("keys-db") == DatabaseVersions{2});
  vault.Step();
  CHECK(vault.Overview().database->phase == DatabaseKeyPhase::kSettled);
  vault.Add();
  vault.Erase(0);
  vault.CheckAllRead();
  CHECK(vault.KeyEvents() == Strings{"key.added vault-db and keys-db 2",
                                     "key.exchanged vault-db and keys-db 2",
                                     "key.destroyed vault-db and keys-db 1"});

  // The keyring of then, with its root key, opens neither database of now, nor the log's index.
  vault.Close();
  CHECK(AnswerOf(OpenVaultDatabase(VaultDatabasePath(vault.directory()), old_keys, {})) ==
        "database_unreadable");
  CHECK(AnswerOf(crypto::ReadKeysDatabaseKeys(key_path, old_keys)) == "keys_db_key_malformed");
  CHECK(AnswerOf(Database::Open(KeysDatabasePath(vault.directory()), old_page_keys->front().key,
                                {})) == "database_unreadable");
  CHECK(AnswerOf(Database::Open(LogIndexPath(vault.directory()), old_keys.vault_db_key(), {})) !=
        "ok");
  vault.CheckVerifies();
  vault.Open();
  vault.CheckAllRead();
  vault.Add();
  vault.CheckInvariants();
  CHECK(vault.KeyEvents().size() == 3);
}

TEST_CASE(
    "an exchange of the databases' keys that was begun without a server is done by the next") {
  DatabasesExchanged vault;
  vault.Close();
  const auto begun = vault.Begin();
  REQUIRE(begun);
  CHECK((begun->begun && !begun->served));
  CHECK(AnswerOf(vault.Finish()) == "rotation_unfinished");
  // What an exchange that died left, and somebody's remains.
  std::ofstream(vault.Next()) << "remains";
  std::ofstream(vault.Next() + "-wal") << "remains";
  vault.Open();
  vault.CheckAllRead();
  vault.AwaitWritten([&] { vault.CheckAllRead(); });
  CHECK(vault.InFile() == DatabaseVersions{1, 2});
  vault.Add();
  vault.Close();
  CHECK_FALSE(std::filesystem::exists(vault.Next() + "-wal"));
  vault.CheckVerifies();
  // Nobody said finish: the start does.
  vault.Open();
  CHECK(vault.InFile() == DatabaseVersions{2});
  vault.CheckAllRead();
  CHECK(vault.KeyEvents() == Strings{"key.added vault-db and keys-db 2",
                                     "key.exchanged vault-db and keys-db 2",
                                     "key.destroyed vault-db and keys-db 1"});
  // Once more.
  REQUIRE(vault.Begin());
  vault.Step();
  vault.AwaitWritten();
  CHECK(vault.Finish() == 3U);
  vault.Step();
  vault.CheckAllRead();
  vault.CheckInvariants();
}

TEST_CASE(
    "a start goes on with the databases under any of two keys, and drops none that is needed") {
  DatabasesExchanged vault;
  vault.Close();
  const std::string path = KeysDatabasePath(vault.directory());
  const auto kept = vault.directory() + ".kept";
  const auto copy = [&](const std::string& from, const std::string& to) {
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  };
  std::filesystem::create_directory(kept);
  copy(path, kept + "/keys.db");
  copy(path + ".key", kept + "/keys.db.key");
  vault.Open();
  REQUIRE(vault.Begin());
  vault.Step();
  vault.AwaitWritten();
  vault.Close();
  // keys.db and its key as they were before: the vault said that it was through.
  copy(kept + "/keys.db", path);
  copy(kept + "/keys.db.key", path + ".key");
  CHECK(AnswerOf(vault.Finish()) == "rotation_unfinished");
  vault.Open();
  vault.CheckAllRead();
  // It may have been written anew before the start looked.
  if (vault.InFile().size() == 2) {
    vault.AwaitWritten();
    CHECK(vault.Finish() == 2U);
    vault.Step();
  }
  CHECK(vault.InFile("keys-db") == DatabaseVersions{2});
  vault.CheckAllRead();
  vault.Close();
  vault.Open();
  vault.CheckAllRead();
  std::filesystem::remove_all(kept);
}

TEST_CASE(
    "a reader of the databases sees its moment while they are exchanged, and the next after") {
  DatabasesExchanged vault;
  REQUIRE(vault.Begin());
  {
    // Somebody else's, who begins before and ends after.
    Database held = vault.OpenVaultDatabase();
    REQUIRE(held.Execute("BEGIN"));
    const auto before = DatabasesExchanged::NumberIn(held, "SELECT count(*) FROM clients");
    vault.Add();
    vault.Step();
    const auto rewrite = [&] { return vault->operations().engine().vault_rewrite().progress(); };
    for (int i = 0;
         i < 20'000 && (rewrite().total == 0 || rewrite().total > rewrite().copied + 128); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    REQUIRE(rewrite().total > 0);
    // What is only in the WAL waits for it: vault.db cannot be replaced, and goes on growing.
    for (int i = 0; i < 50; ++i) vault.Add();
    CHECK(vault->key_exchange().writing());
    CHECK(vault->operations().engine().vault_rewrite().key_version() == 1);
    CHECK(DatabasesExchanged::NumberIn(held, "SELECT count(*) FROM clients") == before);
    REQUIRE(held.Execute("COMMIT"));
  }
  vault.AwaitWritten();
  vault.CheckAllRead();
  CHECK(vault.Number("SELECT count(*) FROM clients") ==
        static_cast<std::int64_t>(vault.clients.size()));
  vault.CheckInvariants();
}

TEST_CASE("an exchange is begun as soon as the one before is finished, and comes to its end") {
  DatabasesExchanged vault;
  for (std::uint32_t version = 2; version <= 4; ++version) {
    const auto begun = vault.Begin();
    REQUIRE(begun);
    CHECK((begun->version == version && begun->begun));
    vault.Step();  // sees both: that the older key is gone, and that there is a newer one
    vault.AwaitWritten();
    CHECK(vault.Finish() == version);
  }
  vault.Step();
  CHECK(vault.InFile() == DatabaseVersions{4});
  CHECK(vault.Overview().database->phase == DatabaseKeyPhase::kSettled);
  CHECK(vault.KeyEvents().size() == 9);
  vault.CheckAllRead();
}

TEST_CASE("of a vault that noted no keys yet an exchange is told as one of these keys alone") {
  DatabasesExchanged vault;
  vault.Close();
  {
    Database rows = vault.OpenVaultDatabase(false);
    REQUIRE(rows.Execute("DELETE FROM settings WHERE name = 'vault-db-keys'"));
  }
  REQUIRE(vault.Begin());
  vault.Open(true);
  vault.AwaitWritten();
  CHECK(vault.Finish() == 2U);
  vault.Step();
  CHECK(vault.KeyEvents() == Strings{"key.added vault-db and keys-db 2",
                                     "key.exchanged vault-db and keys-db 2",
                                     "key.destroyed vault-db and keys-db 1"});
}

}  // namespace coffer::vault
