// The client-KEK and the root key exchanged, while a vault is open and while it is not: every
// client is read at every moment, and in the end the old key is gone.
#include "vault/key_exchange.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "tests/vault/test_vault.h"
#include "vault/log_key_rotation.h"

namespace coffer::vault {
namespace {

using enum Role;

class KeysExchanged : public TestVault {
 public:
  KeysExchanged() : TestVault(Settings{.keys_rows_per_step = 2}) {
    for (int i = 0; i < 5; ++i) Add();
  }
  void Add() {
    clients.push_back(NewClient("K-" + std::to_string(made_++)));
    records.push_back(NewContact(clients.back(), {{"last_name", "Doe"}}));
  }
  void Erase(std::size_t i) {
    REQUIRE((*this)->erasures().Erase(As(kPrivacyOfficer), clients[i], {}));
    clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i));
    records.erase(records.begin() + static_cast<std::ptrdiff_t>(i));
  }
  // In this process as it is, and by keys that were read anew.
  void CheckAllRead() {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const auto read = (*this)->records().GetRecord(As(kCrmService), clients[i], records[i]);
      INFO(AnswerOf(read));
      CHECK(read);
    }
  }
  Result<KeyExchangeBegun> Begin() {
    return BeginKeyExchange(directory(), root(), crypto::KeysInUse::kClients);
  }
  Result<ClientKekFinished> Finish() { return FinishClientKekExchange(directory(), root()); }
  // True: there was something to do.
  bool Step() {
    const auto stepped = (*this)->key_exchange().Step();
    INFO(AnswerOf(stepped) << " " << (stepped ? "" : stepped.error().detail));
    REQUIRE(stepped);
    return *stepped;
  }
  void WrapAll() {
    for (int i = 0; i < 1000; ++i) {
      if (!Step()) return;
    }
    FAIL("it does not end");
  }
  std::vector<std::uint32_t> KeksInFile() {
    const auto header = crypto::Keyring::ReadHeader(KeyringPath(directory()));
    REQUIRE(header);
    return header->versions.at("client-kek");
  }
  // How many of clients' keys name each version.
  std::map<std::uint32_t, int> Wraps() {
    const Database keys = OpenKeysDatabase();
    auto select = Statement::Prepare(keys, "SELECT wrapped FROM client_keys");
    REQUIRE(select);
    std::map<std::uint32_t, int> wraps;
    auto rows = select->Query();
    while (*rows.Next()) ++wraps[*crypto::KeyIdOf(rows.Blob(0))];
    return wraps;
  }
  Strings KeyEvents() {
    Strings events;
    for (const auto& entry : WholeLog()) {
      if (entry.action.starts_with("key.")) events.push_back(entry.action + " " + entry.detail);
    }
    return events;
  }
  KeyOverview Overview() {
    auto overview = (*this)->keys().ReadKeys(As(kSecurityOfficer));
    INFO(AnswerOf(overview));
    REQUIRE(overview);
    return *std::move(overview);
  }
  std::string HandedOver() { return HandedOverKeyPath(directory(), "client-kek"); }
  void Reopen() {
    Close();
    Open();
  }

  std::vector<ClientId> clients;
  std::vector<RecordId> records;

 private:
  int made_ = 0;
};

using KekVersions = std::vector<std::uint32_t>;
using KekWraps = std::map<std::uint32_t, int>;

}  // namespace

TEST_CASE("a client-KEK is exchanged while the vault serves, and everything is read throughout") {
  KeysExchanged vault;
  CHECK(AnswerOf(vault.Finish()) == "nothing_to_finish");
  CHECK(vault.Overview().clients->phase == ClientKekPhase::kSettled);
  const auto begun = vault.Begin();
  REQUIRE(begun);
  CHECK((begun->version == 2 && begun->begun && begun->served));
  CHECK(vault.KeksInFile() == KekVersions{1, 2});
  CHECK(vault.Overview().clients->phase == ClientKekPhase::kWrapping);
  CHECK(AnswerOf(vault.Finish()) == "rotation_unfinished");

  // Before it is taken up, what is new is under the old one; afterwards not.
  vault.Add();
  CHECK(vault.Wraps() == KekWraps{{1, 6}});
  CHECK(vault.Step());
  CHECK_FALSE(std::filesystem::exists(vault.HandedOver()));
  CHECK(vault.Wraps() == KekWraps{{1, 4}, {2, 2}});
  vault.Add();
  vault.Erase(1);
  vault.CheckAllRead();
  CHECK(AnswerOf(vault.Finish()) == "rotation_unfinished");
  vault.WrapAll();
  CHECK(vault.Wraps() == KekWraps{{2, 6}});
  vault.CheckAllRead();
  const auto wrapped = vault.Overview();
  CHECK(wrapped.clients->phase == ClientKekPhase::kWrapped);
  CHECK(wrapped.clients->total == 6);
  CHECK(wrapped.clients->since.has_value());
  // Nothing is destroyed by itself before the next start.
  CHECK(vault.KeksInFile() == KekVersions{1, 2});

  const auto finished = vault.Finish();
  INFO(AnswerOf(finished));
  REQUIRE(finished);
  CHECK((finished->version == 2 && finished->keys == 6 && finished->damaged == 0));
  CHECK(vault.KeksInFile() == KekVersions{2});
  CHECK_FALSE(vault.Step());  // the vault has seen it
  CHECK(vault.KeyEvents() == Strings{"key.added client-kek 2",
                                     "key.exchanged client-kek 2; 6 client keys",
                                     "key.destroyed client-kek 1"});
  CHECK(vault.Overview().clients->phase == ClientKekPhase::kSettled);
  vault.Reopen();
  vault.CheckAllRead();
  vault.Add();
  CHECK(vault.Wraps() == KekWraps{{2, 7}});
  CHECK(vault.KeyEvents().size() == 3);
  vault.CheckInvariants();
}

TEST_CASE("an exchange that is begun without a server is done by the next starts") {
  KeysExchanged vault;
  vault.Close();
  const auto begun = vault.Begin();
  REQUIRE(begun);
  CHECK_FALSE(begun->served);
  CHECK_FALSE(std::filesystem::exists(vault.HandedOver()));
  vault.Open();
  vault.CheckAllRead();
  CHECK(vault.Step());
  // Of which a start in the middle repeats only what is missing, and destroys nothing.
  vault.Reopen();
  CHECK(vault.KeksInFile() == KekVersions{1, 2});
  CHECK(vault.Wraps().contains(1));
  vault.WrapAll();
  CHECK(vault.KeksInFile() == KekVersions{1, 2});
  vault.Reopen();
  CHECK(vault.KeksInFile() == KekVersions{2});
  vault.CheckAllRead();
  CHECK(vault.KeyEvents().size() == 3);
  CHECK(AnswerOf(vault.Finish()) == "nothing_to_finish");
  vault.CheckInvariants();
}

TEST_CASE("what a crash of the command left is gone on with by the same command, or by a start") {
  KeysExchanged vault;
  // It died behind keyring.json, before the server was handed anything.
  REQUIRE(crypto::Keyring::AddNext(KeyringPath(vault.directory()), vault.root(),
                                   crypto::KeysInUse::kClients));
  CHECK(AnswerOf(vault->key_exchange().Step()) == "keyring_ahead");
  vault.Add();
  vault.CheckAllRead();
  CHECK(AnswerOf(vault.Finish()) == "rotation_unfinished");
  SECTION("the command") {
    const auto again = vault.Begin();
    REQUIRE(again);
    CHECK((again->version == 2 && !again->begun && again->served));
  }
  SECTION("a start") { vault.Reopen(); }
  vault.WrapAll();
  CHECK(vault.Wraps() == KekWraps{{2, 6}});
  REQUIRE(vault.Finish());
  vault.Reopen();
  vault.CheckAllRead();
  vault.CheckInvariants();
}

TEST_CASE("what was handed over is not taken up unless keyring.json has it") {
  KeysExchanged vault;
  const std::string path = KeyringPath(vault.directory());
  const auto before = crypto::ReadFile(path, 1 << 20);
  REQUIRE(before);
  REQUIRE(vault.Begin());
  const auto with_next = crypto::ReadFile(path, 1 << 20);
  REQUIRE(with_next);
  REQUIRE(crypto::WriteFileAtomically(path, *before));
  CHECK(AnswerOf(vault->key_exchange().Step()) == "keyring_behind");
  vault.Add();
  CHECK(vault.Wraps() == KekWraps{{1, 6}});
  // A start takes keyring.json as it is.
  vault.Reopen();
  CHECK_FALSE(std::filesystem::exists(vault.HandedOver()));
  CHECK_FALSE(vault.Step());
  vault.CheckAllRead();
}

TEST_CASE("an older keyring.json put beside a running exchange is told, and nothing is forgotten") {
  KeysExchanged vault;
  REQUIRE(vault.Begin());
  const std::string path = KeyringPath(vault.directory());
  const auto both = crypto::ReadFile(path, 1 << 20);
  REQUIRE(both);
  vault.Step();
  // Somebody takes the older one away too early.
  REQUIRE(crypto::Keyring::DropOlder(path, vault.root(), crypto::KeysInUse::kClients));
  CHECK(AnswerOf(vault->key_exchange().Step()) == "keyring_behind");
  vault.CheckAllRead();
  REQUIRE(crypto::WriteFileAtomically(path, *both));
  vault.WrapAll();
  REQUIRE(vault.Finish());
  vault.Reopen();
  vault.CheckAllRead();
}

TEST_CASE("a vault that lacks the version of its keys says so, as damage and not as absence") {
  KeysExchanged vault;
  vault.Close();
  std::filesystem::copy(KeysDatabasePath(vault.directory()), vault.work() / "keys.before");
  std::filesystem::copy(KeysDatabaseKeyPath(KeysDatabasePath(vault.directory())),
                        vault.work() / "key.before");
  REQUIRE(vault.Begin());
  vault.Open();
  vault.WrapAll();
  vault.Reopen();
  REQUIRE(vault.KeksInFile() == KekVersions{2});
  vault.Close();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(KeysDatabasePath(vault.directory()) + suffix);
  }
  std::filesystem::copy(vault.work() / "keys.before", KeysDatabasePath(vault.directory()));
  std::filesystem::copy(vault.work() / "key.before",
                        KeysDatabaseKeyPath(KeysDatabasePath(vault.directory())),
                        std::filesystem::copy_options::overwrite_existing);
  vault.Open();
  CHECK(AnswerOf(vault->records().GetRecord(vault.As(kCrmService), vault.clients[0],
                                            vault.records[0])) == "integrity_failed");
  const auto clients = *vault.Overview().clients;
  REQUIRE(clients.under.size() == 2);
  CHECK((clients.under[0].version == 1 && clients.under[0].keys == 5 && !clients.under[0].held));
}

TEST_CASE("a key that opens under no version holds up no exchange, and is counted") {
  KeysExchanged vault;
  {
    const Database keys = vault.OpenKeysDatabase(false);
    // Another's opens for nobody else.
    auto damage = Statement::Prepare(
        keys,
        "UPDATE client_keys SET wrapped = (SELECT wrapped FROM client_keys WHERE client = ?) "
        "WHERE client = ?");
    REQUIRE(damage);
    REQUIRE(damage->Execute(vault.clients[1].Row(), vault.clients[2].Row()));
  }
  REQUIRE(vault.Begin());
  vault.WrapAll();
  CHECK(vault.Wraps() == KekWraps{{1, 1}, {2, 4}});
  CHECK(vault.KeyEvents().back() ==
        "key.exchanged client-kek 2; 4 client keys; 1 that do not open");
  const auto finished = vault.Finish();
  REQUIRE(finished);
  CHECK((finished->keys == 4 && finished->damaged == 1));
}

TEST_CASE("the root key is exchanged beside an open vault, and the log says so at once") {
  KeysExchanged vault;
  REQUIRE(crypto::CreateKeyFile(vault.work() / "next.key"));
  const auto next = crypto::OpenKeyFile(vault.work() / "next.key");
  REQUIRE(next);
  CHECK_FALSE(vault.Step());
  REQUIRE(ExchangeRootKey(vault.directory(), vault.root(), **next, {}));
  CHECK_FALSE(vault.Step());
  CHECK(vault.KeyEvents() == Strings{"key.exchanged root key-file for key-file"});
  CHECK(vault.Overview().root_since.has_value());
  vault.CheckAllRead();
  vault.Close();
  CHECK(AnswerOf(vault.TryOpen()) == "root_key_wrong");
  // And back, while no vault is open.
  REQUIRE(ExchangeRootKey(vault.directory(), **next, vault.root(), {}));
  vault.Open();
  CHECK(vault.KeyEvents().size() == 2);
  vault.CheckAllRead();
  vault.Reopen();
  CHECK(vault.KeyEvents().size() == 2);
  vault.CheckInvariants();
}

TEST_CASE(
    "exchanges of the root key, of the log's key and of the client-KEK go beside each other") {
  KeysExchanged vault;
  REQUIRE(vault.Begin());
  vault.Step();
  REQUIRE(crypto::CreateKeyFile(vault.work() / "next.key"));
  const auto next = crypto::OpenKeyFile(vault.work() / "next.key");
  REQUIRE(next);
  REQUIRE(ExchangeRootKey(vault.directory(), vault.root(), **next, {}));
  vault.WrapAll();
  vault.Close();
  VaultOptions options;
  options.directory = vault.directory();
  options.anchor_path = vault.anchor_path();
  options.page_cache_mib = 4;
  options.require_locked_memory = false;
  options.scrub_entries_per_s = 0;
  options.clock = &vault.clock;
  REQUIRE(RotateLogKey(options, **next, LogKeyStep::kAdd));
  CHECK(vault.KeksInFile() == KekVersions{2});
  REQUIRE(RotateLogKey(options, **next, LogKeyStep::kRetire));
  REQUIRE(ExchangeRootKey(vault.directory(), **next, vault.root(), {}));
  vault.Open();
  vault.CheckAllRead();
  CHECK(vault.OpenKeyring().log_keys().front().version == 2);
  vault.CheckInvariants();
}

TEST_CASE("keys are shown to who may read the status, and counted without a server too") {
  KeysExchanged vault;
  for (const Role role : {kAdministrator, kSecurityOfficer, kAuditor}) {
    CHECK(AnswerOf(vault->keys().ReadKeys(vault.As(role))) == "ok");
  }
  CHECK(AnswerOf(vault->keys().ReadKeys(vault.As(kCrmService))) == "permission_denied");
  const auto online = vault.Overview();
  CHECK(online.keys.size() == 7);
  CHECK(online.keys_database_key == 1U);
  CHECK(online.index_generation == 1U);
  vault.Close();
  const auto clear = ReadKeys(vault.directory(), nullptr);
  REQUIRE(clear);
  CHECK_FALSE(clear->clients);
  const auto offline = ReadKeys(vault.directory(), &vault.root());
  REQUIRE(offline);
  REQUIRE(offline->clients);
  CHECK(offline->clients->total == 5);
  CHECK(offline->root_kind == "key-file");
}

}  // namespace coffer::vault
