// keys.db written anew after keys were destroyed: no key is lost, whatever happens meanwhile, and
// nothing that is left opens what was there before.
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "crypto/atomic_file.h"
#include "tests/crypto/child_process.h"
#include "tests/support/sampling.h"
#include "tests/vault/faulty_storage.h"
#include "tests/vault/test_engine.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using Keys = std::map<std::string, Bytes>;  // wrapped, by client

const KeyStoreRewrite::Options kAtOnce{.after_ms = 0, .interval_ms = 0, .log = {}};
const KeyStoreRewrite::Options kNever{.after_ms = 3'600'000, .interval_ms = 3'600'000, .log = {}};

constexpr int kManyKeys = testing::Many(20'000, 6000);  // to be rewritten in many steps
constexpr int kDeaths = testing::Many(40, 12);

// An engine whose clients' keys are known.
class RewritingEngine : public TestEngine {
 public:
  explicit RewritingEngine(KeyStoreRewrite::Options options = kAtOnce) { Reopen(options); }
  void Reopen(const KeyStoreRewrite::Options& options) {
    Close();
    keys_rewrite = options;
    Open();
  }

  ClientId Add() {
    const auto client = ClientId::New(clock.Now());
    const Bytes wrapped = keyring().WrapDataKey(Bytes(32), client.value);
    REQUIRE(Do(OperationKind::kWrite, "add", [&](Transaction& transaction) -> Status {
              transaction.AddKey(client, wrapped);
              return {};
            }) == "ok");
    keys[client.Text()] = wrapped;
    return client;
  }
  void Destroy(const ClientId& client) {
    REQUIRE(Do(OperationKind::kWrite, "erase", [&](Transaction& transaction) -> Status {
              return TestEngine::Erase(transaction, client);
            }) == "ok");
    keys.erase(client.Text());
  }
  // Straight into keys.db, while no engine has it.
  std::vector<ClientId> Fill(int count) {
    auto database = OpenKeys();
    auto store = KeyStore::Open(database);
    REQUIRE(store);
    auto transaction = DatabaseTransaction::Begin(database);
    REQUIRE(transaction);
    std::vector<ClientId> clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(ClientId::New(clock.Now()));
      const Bytes wrapped = keyring().WrapDataKey(Bytes(32), clients.back().value);
      REQUIRE(store->Put({clients.back()}, wrapped));
      keys[clients.back().Text()] = wrapped;
    }
    REQUIRE(transaction->Commit());
    return clients;
  }

  void Await(std::uint64_t rewrites) {
    for (int i = 0; i < 12'000; ++i) {
      const auto statistics = (*this)->Statistics();
      if (statistics.keys_rewrites >= rewrites && !statistics.keys_rewrite_pending) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL("keys.db was not rewritten");
  }

  std::string key_path() const { return KeysDatabaseKeyPath(keys_path()); }
  std::string next_path() const { return NextKeysDatabasePath(keys_path()); }
  Database OpenKeys(bool read_only = false) {
    auto database = OpenKeysDatabase(keys_path(), keyring(), {.read_only = read_only});
    INFO(AnswerOf(database));
    REQUIRE(database);
    return *std::move(database);
  }
  std::vector<crypto::KeysDatabaseKey> DatabaseKeys() {
    auto all = crypto::ReadKeysDatabaseKeys(key_path(), keyring());
    REQUIRE(all);
    return *std::move(all);
  }
  Keys Stored() {
    const Database database = OpenKeys(true);
    auto select = Statement::Prepare(database, "SELECT cid, wrapped FROM client_keys");
    REQUIRE(select);
    Keys stored;
    auto row = select->Query();
    while (*row.Next()) {
      ClientId client;
      std::ranges::copy(row.Blob(0), client.value.begin());
      stored[client.Text()] = Bytes(row.Blob(1).begin(), row.Blob(1).end());
    }
    return stored;
  }
  std::string Pragma(const char* pragma) {
    const Database database = OpenKeys(true);
    auto select = Statement::Prepare(database, pragma);
    REQUIRE(select);
    auto row = select->Query();
    REQUIRE(row.Next() == true);
    return std::string(row.Text(0));
  }
  bool IsMarked() { return Pragma("PRAGMA user_version") != "0"; }
  // Every page in plaintext, free pages included.
  std::string Image() {
    const Database database = OpenKeys(true);
    sqlite3_int64 size = 0;
    const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> pages(
        sqlite3_serialize(database.handle(), "main", &size, 0), sqlite3_free);
    REQUIRE(pages);
    return {reinterpret_cast<const char*>(pages.get()), static_cast<std::size_t>(size)};
  }

  // Exactly the keys that there should be, under one key, and nothing beside them.
  void CheckKeys() {
    CHECK(Stored() == keys);
    CHECK(DatabaseKeys().size() == 1);
    CHECK(Pragma("PRAGMA integrity_check") == "ok");
    Database database = OpenKeys(true);
    CHECK(database.CheckPages()->empty());
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      CHECK_FALSE(fs::exists(next_path() + suffix));
    }
  }

  Keys keys;
};

bool Contains(const std::string& image, const Bytes& bytes) {
  return image.find(crypto::AsText(bytes)) != std::string::npos;
}

TEST_CASE("after a key was destroyed keys.db has another key, and nothing opens the old one") {
  RewritingEngine engine(kNever);
  engine.Start();
  const auto gone = engine.Add();
  engine.Add();
  const Bytes wrapped = engine.keys.at(gone.Text());
  engine.Destroy(gone);
  CHECK(engine->Statistics().keys_rewrite_pending);
  CHECK(engine->Statistics().keys_rewrites == 0);
  CHECK(engine.IsMarked());
  engine.Close();
  const auto old_key = std::move(engine.DatabaseKeys()[0]);
  fs::copy(engine.keys_path(), engine.work / "residue.db");
  REQUIRE(Database::Open(engine.work / "residue.db", old_key.key, {}));

  engine.Reopen(kAtOnce);  // the need survived the restart
  CHECK(engine->Statistics().keys_rewrite_pending);
  engine.Start();
  engine.Await(1);
  CHECK(engine->Statistics().keys_rewrites == 1);
  CHECK_FALSE(engine.IsMarked());
  engine.CheckKeys();
  const auto key = std::move(engine.DatabaseKeys()[0]);
  CHECK(key.version == old_key.version + 1);
  CHECK(key.key != old_key.key);
  CHECK(AnswerOf(Database::Open(engine.keys_path(), old_key.key, {.read_only = true})) ==
        "database_unreadable");
  CHECK(AnswerOf(Database::Open(engine.work / "residue.db", key.key, {})) == "database_unreadable");
  CHECK_FALSE(Contains(engine.Image(), wrapped));
  for (const auto& [client, other] : engine.keys) CHECK(Contains(engine.Image(), other));

  // And it is worked on, also after another start.
  engine.Add();
  engine.CheckKeys();
  engine.Reopen(kAtOnce);
  CHECK_FALSE(engine->Statistics().keys_rewrite_pending);
  engine.Start();
  const auto last = engine.Add();
  CHECK(engine.Do(OperationKind::kRead, "pin", [&](Transaction& transaction) -> Status {
    return TestEngine::Pin(transaction, last);
  }) == "ok");
  CHECK(engine.Do(OperationKind::kRead, "pin", [&](Transaction& transaction) -> Status {
    return TestEngine::Pin(transaction, gone);
  }) == "not_found");
  engine.CheckKeys();
}

TEST_CASE("where no key was destroyed keys.db is left as it is") {
  RewritingEngine engine;
  engine.Start();
  for (int i = 0; i < 20; ++i) engine.Add();
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  CHECK(engine->Statistics().keys_rewrites == 0);
  CHECK_FALSE(engine->Statistics().keys_rewrite_pending);
  CHECK(engine.DatabaseKeys()[0].version == 1);
  engine.CheckKeys();
}

TEST_CASE("keys.db is rewritten while keys are added and destroyed") {
  RewritingEngine engine;
  engine.Close();
  const auto clients = engine.Fill(kManyKeys);
  engine.Open();
  engine.Start();
  // In front of, at and behind the place that the rewrite has come to.
  std::uint64_t destroyed = 0;
  std::vector<Bytes> gone;
  for (std::size_t i = 0; i < 60; ++i) {
    const ClientId& client = clients[(i * 7919) % clients.size()];
    gone.push_back(engine.keys.at(client.Text()));
    engine.Destroy(client);
    ++destroyed;
    const ClientId made = engine.Add();
    engine.Add();
    if (i % 3 == 0) engine.Destroy(made);
  }
  engine.Await(1);
  engine.CheckKeys();
  CHECK_FALSE(engine.IsMarked());
  CHECK(engine->Statistics().keys_rewrites <= destroyed + 20);
  const std::string image = engine.Image();
  for (const Bytes& wrapped : gone) CHECK_FALSE(Contains(image, wrapped));
}

// False: the rewrite had ended before the second key was destroyed.
bool DestroysDuringARewrite() {
  RewritingEngine engine;
  engine.Close();
  const auto clients = engine.Fill(kManyKeys);
  engine.Open();
  engine.Start();
  engine.Destroy(clients[5]);
  while (!fs::exists(engine.next_path()) && engine->Statistics().keys_rewrites == 0) {
    std::this_thread::yield();
  }
  engine.Destroy(clients[3]);
  if (engine->Statistics().keys_rewrites != 0) return false;
  engine.Await(2);
  CHECK(engine->Statistics().keys_rewrites == 2);
  CHECK(engine.DatabaseKeys()[0].version == 3);
  engine.CheckKeys();
  return true;
}

TEST_CASE("a key that is destroyed during a rewrite leads to another one") {
  int in_time = 0;
  for (int tries = 0; tries < 20 && in_time == 0; ++tries) {
    in_time += DestroysDuringARewrite() ? 1 : 0;
  }
  CHECK(in_time == 1);
}

TEST_CASE("a rewrite waits for the last of several erasures, and for the one before it") {
  constexpr std::chrono::milliseconds kAfter{1500};
  RewritingEngine engine({.after_ms = 1500, .interval_ms = 3'600'000, .log = {}});
  engine.Start();
  const auto first = engine.Add();
  const auto second = engine.Add();
  const auto third = engine.Add();
  engine.Destroy(first);
  std::this_thread::sleep_for(std::chrono::milliseconds(800));
  const auto last = std::chrono::steady_clock::now();
  engine.Destroy(second);
  std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  engine.Add();  // has the engine look
  const auto rewrites = engine->Statistics().keys_rewrites;
  if (std::chrono::steady_clock::now() - last < kAfter) CHECK(rewrites == 0);
  engine.Await(1);
  engine.Destroy(third);
  std::this_thread::sleep_for(std::chrono::milliseconds(2000));
  engine.Add();
  CHECK(engine->Statistics().keys_rewrites == 1);
  CHECK(engine->Statistics().keys_rewrite_pending);
}

TEST_CASE("who erases all the time does not put a rewrite off for ever") {
  RewritingEngine engine({.after_ms = 3'600'000, .interval_ms = 600, .log = {}});
  engine.Start();
  for (int i = 0; i < 1200 && engine->Statistics().keys_rewrites == 0; ++i) {
    engine.Destroy(engine.Add());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(engine->Statistics().keys_rewrites >= 1);
}

// False: the rewrite had ended before the stop.
bool StopsARewrite() {
  RewritingEngine engine;
  engine.Close();
  const auto clients = engine.Fill(kManyKeys);
  engine.Open();
  engine.Start();
  engine.Destroy(clients[0]);
  engine.Close();
  engine.CheckKeys();
  if (engine.DatabaseKeys()[0].version > 1) return false;
  CHECK(engine.IsMarked());
  engine.Open();
  engine.Start();
  engine.Await(1);
  engine.CheckKeys();
  return true;
}

TEST_CASE("a stop drops a rewrite that is under way, and the next start begins anew") {
  int in_time = 0;
  for (int tries = 0; tries < 20 && in_time == 0; ++tries) in_time += StopsARewrite() ? 1 : 0;
  CHECK(in_time == 1);
}

TEST_CASE("a vault from before keys.db had a key of its own gets one") {
  RewritingEngine engine(kNever);
  engine.Close();
  for (const char* file : {"keys.db", "keys.db.key"}) fs::remove(engine.work / file);
  {
    auto keys =
        Database::Open(engine.keys_path(), engine.keyring().keys_db_key(), {.create = true});
    REQUIRE(keys);
    REQUIRE(Migrate(*keys, KeysMigrations()));
  }
  engine.Fill(10);
  engine.Open();
  engine.Start();
  engine.Add();
  CHECK(engine->Statistics().keys_rewrite_pending);
  engine.Reopen(kAtOnce);
  engine.Start();
  engine.Await(1);
  engine.CheckKeys();
  CHECK(AnswerOf(Database::Open(engine.keys_path(), engine.keyring().keys_db_key(), {})) ==
        "database_unreadable");
}

// What a crash leaves, made by hand from the steps in key_store_rewrite.h.
class Crashed : public RewritingEngine {
 public:
  Crashed() : RewritingEngine(kNever) {
    Close();
    clients = Fill(200);
    Open();
    Start();
    Destroy(clients.front());
    Close();
  }
  void AddNextKey() { REQUIRE(crypto::AddKeysDatabaseKey(key_path(), keyring())); }
  // With the rows up to `last`, in a journal mode of its own.
  void MakeNext(bool whole) {
    auto next = Database::Open(next_path(), DatabaseKeys()[1].key, {.create = true});
    REQUIRE(next);
    REQUIRE(Migrate(*next, KeysMigrations()));
    const auto old_key = std::move(DatabaseKeys()[0]);
    auto old = Database::Open(keys_path(), old_key.key, {});
    REQUIRE(old);
    auto select = Statement::Prepare(*old, "SELECT * FROM client_keys LIMIT ?");
    auto insert = Statement::Prepare(*next, "INSERT INTO client_keys VALUES (?, ?, ?, ?, ?)");
    REQUIRE(select);
    REQUIRE(insert);
    auto rows = select->Query(whole ? 1'000'000 : 50);
    while (*rows.Next()) REQUIRE(insert->ExecuteWithRow(rows));
  }
  void Rename() {
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(keys_path() + suffix);
    fs::rename(next_path(), keys_path());
  }
  // Reads as an auditor of a copy does, changes nothing, then opens and ends it.
  void CheckRecovered(std::uint32_t version, bool marked) {
    const auto before = DatabaseKeys().size();
    CHECK(Stored() == keys);
    CHECK(DatabaseKeys().size() == before);
    Open();
    CheckKeys();
    CHECK(DatabaseKeys()[0].version == version);
    CHECK((*this)->Statistics().keys_rewrite_pending == marked);
    CHECK(IsMarked() == marked);
    Reopen(kAtOnce);
    Start();
    Add();
    if (marked) Await(1);
    CheckKeys();
    CHECK_FALSE(IsMarked());
  }
  std::vector<ClientId> clients;
};

TEST_CASE("a crash before the rename undoes the rewrite") {
  Crashed crashed;
  SECTION("with the next key alone") { crashed.AddNextKey(); }
  SECTION("with an empty next database") {
    crashed.AddNextKey();
    std::ofstream(crashed.next_path()) << "";
  }
  SECTION("with part of the next database, and its journals") {
    crashed.AddNextKey();
    crashed.MakeNext(false);
    for (const char* suffix : {"-wal", "-shm", "-journal"}) {
      std::ofstream(crashed.next_path() + suffix) << "left behind";
    }
  }
  SECTION("with all of it") {
    crashed.AddNextKey();
    crashed.MakeNext(true);
  }
  SECTION("with the old database's WAL removed") {
    crashed.AddNextKey();
    crashed.MakeNext(true);
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(crashed.keys_path() + suffix);
  }
  SECTION("with a next database that no key file knows any more") {
    crashed.AddNextKey();
    crashed.MakeNext(true);
    REQUIRE(crypto::DropNextKeysDatabaseKey(crashed.key_path(), crashed.keyring()));
  }
  crashed.CheckRecovered(1, true);
}

TEST_CASE("a crash after the rename finishes the rewrite") {
  Crashed crashed;
  crashed.AddNextKey();
  crashed.MakeNext(true);
  crashed.Rename();
  SECTION("with both keys") {}
  SECTION("with what was written since, in the WAL") {
    const int status = crypto::StatusOfChild([&] {
      const auto key = std::move(crashed.DatabaseKeys()[1]);
      auto database = Database::Open(crashed.keys_path(), key.key, {});
      auto store = KeyStore::Open(*database);
      const auto& client = crashed.clients[7];
      const bool put = store->Put({client}, Bytes(60, 7)).has_value();
      _exit(put ? 0 : 1);  // without closing
      return 1;
    });
    REQUIRE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    REQUIRE(fs::file_size(crashed.keys_path() + "-wal") > 0);
    crashed.keys[crashed.clients[7].Text()] = Bytes(60, 7);
  }
  SECTION("with one key") {
    REQUIRE(crypto::PromoteKeysDatabaseKey(crashed.key_path(), crashed.keyring()));
  }
  crashed.CheckRecovered(2, false);
}

TEST_CASE("where no key opens keys.db, nothing is changed") {
  Crashed crashed;
  crashed.AddNextKey();
  crashed.MakeNext(true);
  const auto text = [&] { return *crypto::ReadFile(crashed.key_path(), 4096); };
  const Bytes key_file = text();
  {
    std::fstream file(crashed.keys_path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file << "damage";
  }
  CHECK(AnswerOf(SettleKeysDatabase(crashed.keys_path(), crashed.keyring())) ==
        "database_unreadable");
  CHECK(text() == key_file);
  CHECK(fs::exists(crashed.next_path()));
  fs::remove(crashed.keys_path());
  CHECK(AnswerOf(SettleKeysDatabase(crashed.keys_path(), crashed.keyring())) == "database_missing");
  CHECK(text() == key_file);
  CHECK(fs::exists(crashed.next_path()));
}

TEST_CASE("a process that is killed at any moment of a rewrite loses no key") {
  RewritingEngine engine(kNever);
  engine.Close();
  const auto clients = engine.Fill(3000);
  // How long it takes here.
  engine.keys_rewrite = kAtOnce;
  engine.Open();
  engine.Start();
  const auto began = std::chrono::steady_clock::now();
  engine.Destroy(clients.back());
  engine.Await(1);
  const auto whole = std::chrono::steady_clock::now() - began;
  engine.Close();
  int under_way = 0;
  int rewritten = 0;
  // As many more as it takes, on a machine that was faster or slower meanwhile.
  for (int round = 0; round < kDeaths || (round < 50 * kDeaths && under_way * rewritten == 0);
       ++round) {
    INFO("round " << round);
    const auto before = engine.DatabaseKeys()[0].version;
    const ClientId& client = clients[static_cast<std::size_t>(round)];
    engine.keys_rewrite = kAtOnce;
    const int status = crypto::StatusOfChild([&] {
      engine.Open();
      engine.Start();
      engine.Destroy(client);
      std::this_thread::sleep_for(whole * (round % kDeaths) * (1 + round / kDeaths) * 8 /
                                  (5 * kDeaths));
      return raise(SIGKILL);
    });
    REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    engine.keys.erase(client.Text());
    under_way += engine.DatabaseKeys().size() > 1 ? 1 : 0;
    engine.keys_rewrite = kNever;
    engine.Open();
    engine.CheckKeys();
    rewritten += engine.DatabaseKeys()[0].version > before ? 1 : 0;
    // Whatever was not finished is still to be done.
    CHECK((engine.IsMarked() || engine.DatabaseKeys()[0].version > before));
    engine.Close();
  }
  CHECK(under_way > 0);
  CHECK(rewritten > 0);
  engine.Open();
}

TEST_CASE("a rewrite that the disk has no room for is given up, and holds nothing up",
          testing::kPlainOnly) {
  FaultyStorage& disk = FaultyStorage::Instance();
  RewritingEngine engine(kNever);
  engine.Close();
  const auto clients = engine.Fill(2000);
  std::size_t next = 0;
  int given_up = 0;
  for (const Fault fault : {Fault::kFull, Fault::kWrite, Fault::kWriteAndLie, Fault::kSync}) {
    for (const int first : {0, 1, 3, 10, 50}) {
      INFO("fault " << static_cast<int>(fault) << " after " << first);
      engine.Reopen({.after_ms = 0, .interval_ms = 100, .log = {}});
      disk.Break("keys.db.next", fault, first);
      engine.Start();
      engine.Destroy(clients[next++]);
      for (int i = 0; i < 30; ++i) engine.Add();
      for (int i = 0; i < 12'000 && disk.failures() == 0 && engine->Statistics().keys_rewrites == 0;
           ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      CHECK(engine->healthy());
      if (disk.failures() > 0) {
        ++given_up;
        // SQLite does not tell of each sync that failed; the rewrite syncs the file once more
        // itself.
        if (fault != Fault::kSync) CHECK(engine->Statistics().keys_rewrite_pending);
        CHECK(engine.Stored() == engine.keys);
      }
      disk.Mend();
      engine.Add();
      engine.Await(0);
      engine.CheckKeys();
      CHECK_FALSE(engine.IsMarked());
    }
  }
  CHECK(given_up > 8);
}

TEST_CASE("a column that a later version adds is copied too") {
  RewritingEngine engine(kNever);
  engine.Start();
  const auto client = engine.Add();
  engine.Add();
  engine.Close();
  // As a migration would: the rewrite makes the same table by the same migrations, so that here the
  // column is missing there, and the rewrite must notice rather than leave it out.
  REQUIRE(engine.OpenKeys().Execute("ALTER TABLE client_keys ADD COLUMN more INTEGER"));
  REQUIRE(engine.OpenKeys().Execute("UPDATE client_keys SET more = 7"));
  engine.Reopen({.after_ms = 0, .interval_ms = 3'600'000, .log = {}});
  engine.Start();
  engine.Destroy(client);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(engine->Statistics().keys_rewrites == 0);
  CHECK(engine->Statistics().keys_rewrite_pending);
  engine.CheckKeys();
}

}  // namespace
}  // namespace coffer::vault
