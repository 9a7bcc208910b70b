// What the engine does when the store cannot be written: nothing half, nothing disclosed, and on it
// goes when the disk does.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

#include "tests/crypto/child_process.h"
#include "tests/vault/faulty_storage.h"
#include "tests/vault/test_engine.h"
#include "vault/access/access_state.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr int kEndOfStorage = 74;  // the exit code for storage that can no longer be trusted

// Registered before any database is opened.
class FailingEngine : public TestEngine {
 public:
  explicit FailingEngine(FaultyStorage& with = FaultyStorage::Instance()) : disk(with) { Start(); }
  ~FailingEngine() { disk.Mend(); }
  FaultyStorage& disk;
};

TEST_CASE("when the log cannot be written, nothing was done and nothing is served") {
  FailingEngine engine;
  CHECK(engine.Put(0) == "ok");
  engine.disk.Break("vault.db-wal", Fault::kFull);
  CHECK(engine.Put(1) == "log_unavailable");
  bool read = false;
  CHECK(engine.Do(OperationKind::kRead, "read", [&](Transaction&) -> Status {
    read = true;
    return {};
  }) == "log_unavailable");
  CHECK(read);  // it ran, and its answer is withheld
  CHECK(!engine->healthy());
  CHECK(engine->Statistics().commit_failures >= 2);
  CHECK(engine.Rows() == Numbers{0});

  engine.disk.Mend();
  CHECK(engine.Put(2) == "ok");
  CHECK(engine->healthy());
  CHECK(engine.Rows() == Numbers{0, 2});
  CHECK(engine.Log() == Strings{"put.0 ok", "put.2 ok"});
  engine.CheckInvariants();
}

TEST_CASE("a commit that fails fails for everybody who shared it") {
  FailingEngine engine;
  engine.Hold();
  Strings answers(6);
  {
    std::vector<std::jthread> callers;
    for (int n = 0; n < 6; ++n) {
      callers.emplace_back([&engine, &answers, n] {
        answers[static_cast<std::size_t>(n)] = n % 2 == 0 ? engine.Put(n) : engine.PutAndFail(n);
      });
    }
    engine.AwaitQueued(6);
    engine.disk.Break("vault.db-wal", Fault::kWrite);
    engine.Release();
  }
  CHECK(answers == Strings(6, "log_unavailable"));
  engine.disk.Mend();
  CHECK(engine.Rows().empty());
  CHECK(engine.Put(7) == "ok");
  engine.CheckInvariants();
}

TEST_CASE("an operation that found the store unavailable fails its whole batch") {
  FailingEngine engine;
  engine.Hold();
  std::string good;
  std::string bad;
  {
    const std::jthread first([&] { good = engine.Put(0); });
    engine.AwaitQueued(1);
    const std::jthread second(
        [&] { bad = engine.PutAndFail(1, Code::kUnavailable, "storage_unavailable"); });
    engine.AwaitQueued(2);
    engine.Release();
  }
  CHECK(good == "log_unavailable");
  CHECK(bad == "log_unavailable");
  CHECK(engine.Rows().empty());
  CHECK(engine.Put(2) == "ok");
  engine.CheckInvariants();
}

TEST_CASE("whichever write fails, each operation is done with its entry or not at all") {
  FailingEngine engine;
  int n = 0;
  for (const Fault fault : {Fault::kFull, Fault::kWrite, Fault::kWriteAndLie}) {
    int struck = 0;
    for (int first = 0; first < 40; ++first) {
      INFO("fault " << static_cast<int>(fault) << " after " << first << " writes");
      engine.disk.Break("vault.db-wal", fault, first);
      Numbers done;
      for (int i = 0; i < 3; ++i) {
        const std::string answer = engine.Put(++n);
        CHECK((answer == "ok" || answer == "log_unavailable"));
        if (answer == "ok") done.push_back(n);
      }
      if (engine.disk.failures() > 0) ++struck;
      engine.disk.Mend();
      CHECK(engine.Put(++n) == "ok");
      done.push_back(n);
      // Of these four rows, those that were acknowledged are there and no other one.
      Numbers rows = engine.Rows();
      std::erase_if(rows, [n](int row) { return row <= n - 4; });
      CHECK(rows == done);
    }
    CHECK(struck > 10);
    engine.CheckInvariants();
  }
  // A start of the process finds what was acknowledged.
  const Numbers rows = engine.Rows();
  engine.Close();
  engine.Open();
  CHECK(engine.Rows() == rows);
  engine.CheckInvariants();
}

TEST_CASE("what memory held of a failed batch is what the database says") {
  FailingEngine engine;
  TokenRow token;
  token.id = TokenId::New(engine.clock.Now());
  engine.disk.Break("vault.db-wal", Fault::kFull);
  CHECK(engine.Do(OperationKind::kWrite, "leave", [&](Transaction& transaction) -> Status {
    StageToken(transaction, token);
    Catalog catalog = transaction.Of<CatalogState>().current();
    catalog.purposes["p-1"] = TestEngine::PurposeOf(1);
    ReplaceCatalog(transaction, std::move(catalog));
    return {};
  }) == "log_unavailable");
  CHECK(!engine->Of<CatalogState>().Published()->purposes.contains("p-1"));
  engine.disk.Mend();
  bool found = true;
  CHECK(engine.Do(OperationKind::kRead, "find", [&](Transaction& transaction) -> Status {
    found = transaction.Of<AccessState>().principals().FindToken(token.id) != nullptr ||
            transaction.Of<CatalogState>().current().purposes.contains("p-1");
    return {};
  }) == "ok");
  CHECK(!found);
}

TEST_CASE("when a new key cannot be stored, its batch did not happen") {
  FailingEngine engine;
  const auto client = ClientId::New(engine.clock.Now());
  const auto add = [&](int n) {
    return engine.Do(OperationKind::kWrite, "put." + std::to_string(n),
                     [&, n](Transaction& transaction) -> Status {
                       transaction.AddKey(client,
                                          engine.keyring().WrapDataKey(Bytes(32), client.value));
                       return TestEngine::Write(transaction, n);
                     });
  };
  for (int first = 0; first < 6; ++first) {
    engine.disk.Break("keys.db-wal", first % 2 == 0 ? Fault::kFull : Fault::kWrite, first / 2);
    const std::string answer = add(first);
    if (engine.disk.failures() > 0) CHECK(answer == "log_unavailable");
    engine.disk.Mend();
  }
  CHECK(engine.Put(100) == "ok");
  CHECK(add(101) == "ok");
  engine.CheckInvariants();
}

TEST_CASE("a disk that has room again is found out without a request") {
  FailingEngine engine;
  engine.disk.Break("vault.db-wal", Fault::kFull);
  CHECK(engine.Put(0) == "log_unavailable");
  CHECK(!engine->healthy());
  engine.disk.Mend();
  for (int i = 0; i < 100 && !engine->healthy(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(engine->healthy());
  engine.CheckInvariants();
}

// Runs `body` over this engine's files in a process of its own, whose engine thread is its own too.
template <class Body>
int ExitCodeOf(TestEngine& engine, Body body) {
  engine.Close();
  const int status = crypto::StatusOfChild([&] {
    engine.Open();
    engine.Start();
    body();
    return 0;
  });
  engine.Open();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_CASE("after a failed sync nothing is acknowledged any more: the process ends") {
  FaultyStorage& disk = FaultyStorage::Instance();
  TestEngine engine;
  for (const char* file : {"vault.db-wal", "keys.db-wal"}) {
    INFO(file);
    bool acknowledged = false;
    const int code = ExitCodeOf(engine, [&] {
      disk.Break(file, Fault::kSync);
      const auto client = ClientId::New(engine.clock.Now());
      acknowledged =
          engine.Do(OperationKind::kWrite, "put.1", [&](Transaction& transaction) -> Status {
            transaction.AddKey(client, engine.keyring().WrapDataKey(Bytes(32), client.value));
            return TestEngine::Write(transaction, 1);
          }) == "ok";
      _exit(acknowledged ? 1 : 2);
    });
    CHECK(code == kEndOfStorage);
  }
  engine.Start();
  CHECK(engine.Put(2) == "ok");
  engine.CheckInvariants();
}

TEST_CASE(
    "an erasure whose key could not be destroyed ends the process, and the next start goes on") {
  FaultyStorage& disk = FaultyStorage::Instance();
  TestEngine engine;
  const auto client = ClientId::New(engine.clock.Now());
  CHECK(ExitCodeOf(engine, [&] {
          engine.Do(OperationKind::kWrite, "add", [&](Transaction& transaction) -> Status {
            transaction.AddKey(client, engine.keyring().WrapDataKey(Bytes(32), client.value));
            return {};
          });
          disk.Break("keys.db-wal", Fault::kFull);
          engine.Do(OperationKind::kWrite, "erase", [&](Transaction& transaction) -> Status {
            return TestEngine::Erase(transaction, client);
          });
          _exit(1);  // answered
        }) == kEndOfStorage);
  // ExitCodeOf opened the engine again, which finished what was begun.
  Database reader = engine.Reader();
  auto pending = Statement::Prepare(reader, "SELECT count(*), sum(state) FROM erasures");
  REQUIRE(pending);
  auto row = pending->Query();
  REQUIRE(row.Next() == true);
  CHECK(row.Int(0) == 1);
  CHECK(row.Int(1) == 1);
  engine.Start();
  CHECK(engine.Do(OperationKind::kRead, "pin", [&](Transaction& transaction) -> Status {
    return TestEngine::Pin(transaction, client);
  }) == "not_found");
  CHECK(engine.Log() == Strings{"add ok", "erase ok", "pin not_found"});
}

TEST_CASE("a WAL that cannot be copied back holds nothing up") {
  FailingEngine engine;
  engine.disk.Break("vault.db", Fault::kFull);  // the database file itself, written by checkpoints
  for (int n = 0; n < 300; ++n) REQUIRE(engine.Put(n) == "ok");
  engine.disk.Mend();
  CHECK(engine->healthy());
  engine.CheckInvariants();
}

TEST_CASE("that the WAL cannot be truncated is told once, however often it is tried") {
  FailingEngine engine;
  std::vector<ClientId> clients;
  for (int i = 0; i < 4; ++i) {
    const ClientId client = clients.emplace_back(ClientId::New(engine.clock.Now()));
    REQUIRE(engine.Do(OperationKind::kWrite, "add", [&](Transaction& transaction) -> Status {
      transaction.AddKey(client, Bytes(60, 1));
      return {};
    }) == "ok");
  }
  engine.disk.Break("vault.db", Fault::kFull);
  // Each tries it.
  for (const ClientId& client : clients) {
    REQUIRE(engine.Do(OperationKind::kWrite, "erase", [&](Transaction& transaction) {
      return TestEngine::Erase(transaction, client);
    }) == "ok");
  }
  engine.disk.Mend();
  const Strings said = engine.Said();
  CHECK(std::ranges::count_if(said, [](const std::string& line) {
          return line.starts_with("the WAL could not be truncated");
        }) == 1);
  CHECK(engine->Statistics().wal_truncation_pending);
}

}  // namespace
}  // namespace coffer::vault
