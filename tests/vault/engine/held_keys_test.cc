// Somebody reads keys.db, for as long as he likes, while something is erased.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <thread>

#include "tests/vault/test_engine.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

// A read transaction on the database, from when it was made to its end.
class HeldDatabase {
 public:
  explicit HeldDatabase(Database database, const char* begin = "BEGIN")
      : database_(std::move(database)) {
    REQUIRE(database_.Execute(begin));
    REQUIRE(database_.Execute("SELECT count(*) FROM client_keys"));
  }
  void LetGo() { REQUIRE(database_.Execute("ROLLBACK")); }

 private:
  Database database_;
};

Database OpenKeysOf(TestEngine& engine, bool read_only = true) {
  auto database = OpenKeysDatabase(engine.keys_path(), engine.keyring(), {.read_only = read_only});
  REQUIRE(database);
  return *std::move(database);
}

ErasureRow EraseIn(TestEngine& engine, const ClientId& client) {
  ErasureRow row;
  row.id = ErasureId::New(engine.clock.Now());
  row.client = client;
  row.erased = engine.clock.Now();
  CHECK(engine.Do(OperationKind::kWrite, "erase", [&](Transaction& transaction) -> Status {
    COFFER_TRY(transaction.stores().erasures.Insert(row));
    transaction.Erased(row);
    return {};
  }) == "ok");
  return row;
}

std::int64_t NumberIn(const Database& database, std::string_view sql) {
  auto select = Statement::Prepare(database, sql);
  REQUIRE(select);
  auto row = select->Query();
  REQUIRE(row.Next() == true);
  return row.Int(0);
}

}  // namespace

TEST_CASE("while keys.db is held the engine goes on, and destroys keys when it is let go") {
  TestEngine engine;
  engine.Start();
  const auto client = ClientId::New(engine.clock.Now());
  REQUIRE(engine.Do(OperationKind::kWrite, "add", [&](Transaction& transaction) -> Status {
    transaction.AddKey(client, engine.keyring().WrapDataKey(Bytes(32), client.value));
    return {};
  }) == "ok");
  // By a reader, whom the truncation of the WAL waits for, or by a writer.
  const bool writer = GENERATE(false, true);
  HeldDatabase held(OpenKeysOf(engine, !writer), writer ? "BEGIN IMMEDIATE" : "BEGIN");
  const std::vector<ErasureRow> erased = {EraseIn(engine, client)};
  CHECK_FALSE(engine->AwaitDestroyed(erased, std::chrono::milliseconds(0)));
  CHECK(engine.Put(1) == "ok");
  CHECK(engine.Do(OperationKind::kRead, "pin", [&](Transaction& transaction) -> Status {
    return TestEngine::Pin(transaction, client);
  }) == "not_found");
  CHECK(engine.PutAndFail(2, Code::kUnavailable, "storage_unavailable") == "log_unavailable");
  CHECK(engine.Do(OperationKind::kRead, "pin", [&](Transaction& transaction) -> Status {
    return TestEngine::Pin(transaction, client);
  }) == "not_found");
  CHECK(NumberIn(engine.Reader(), "SELECT state FROM erasures") == 0);
  CHECK_FALSE(engine->TakeDestroyedLate());
  held.LetGo();
  CHECK(engine->AwaitDestroyed(erased, std::chrono::minutes(5)));
  CHECK(NumberIn(engine.Reader(), "SELECT state FROM erasures") == 1);
  CHECK(NumberIn(OpenKeysOf(engine), "SELECT count(*) FROM client_keys") == 0);
  CHECK(engine->TakeDestroyedLate());
  CHECK(engine.Put(3) == "ok");
}

TEST_CASE("what was held when the process ended is destroyed by the next start") {
  TestEngine engine;
  engine.Start();
  const auto client = ClientId::New(engine.clock.Now());
  REQUIRE(engine.Do(OperationKind::kWrite, "add", [&](Transaction& transaction) -> Status {
    transaction.AddKey(client, engine.keyring().WrapDataKey(Bytes(32), client.value));
    return {};
  }) == "ok");
  HeldDatabase held(OpenKeysOf(engine));
  const std::vector<ErasureRow> erased = {EraseIn(engine, client)};
  engine.Close();
  // Held through the start as well.
  engine.Open();
  engine.Start();
  CHECK(engine.Put(1) == "ok");
  CHECK_FALSE(engine->AwaitDestroyed(erased, std::chrono::milliseconds(0)));
  held.LetGo();
  CHECK(engine->AwaitDestroyed(erased, std::chrono::minutes(5)));
  CHECK(NumberIn(engine.Reader(), "SELECT state FROM erasures") == 1);
}

TEST_CASE("what another connection holds is busy, and no failure of the storage") {
  TestEngine engine;
  HeldDatabase held(OpenKeysOf(engine, false), "BEGIN IMMEDIATE");
  Database other = OpenKeysOf(engine, false);
  other.SetPatience(0);
  const auto begun = other.Execute("BEGIN IMMEDIATE");
  REQUIRE_FALSE(begun);
  CHECK(IsBusy(begun.error()));
  CHECK(begun.error().code == Code::kUnavailable);
}

TEST_CASE("an erasure is acknowledged when whoever reads keys.db has let go, and completed once") {
  TestVault vault;
  const auto client = vault.NewClient("H-1");
  const auto other = vault.NewClient("H-2");
  HeldDatabase held(vault.OpenKeysDatabase());
  std::atomic<bool> answered{false};
  Result<Erasure> erased = Fail(Code::kInternal, "none");
  std::jthread eraser([&, caller = vault.As(kPrivacyOfficer)] {
    erased = vault->erasures().Erase(caller, client, {});
    answered = true;
  });
  // The rest of the vault goes on, and the client is gone.
  while (AnswerOf(vault->clients().GetClient(vault.As(kCrmService), client)) == "ok") {
  }
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), other)) == "ok");
  vault.NewContact(other, {{"last_name", "Doe"}});
  CHECK_FALSE(answered);
  held.LetGo();
  eraser.join();
  INFO(AnswerOf(erased));
  REQUIRE(erased);
  CHECK(erased->complete);
  CHECK(vault->erasure_acts().ReadAct(vault.As(kAuditor), erased->id, {}));
  std::size_t completed = 0;
  for (const auto& entry : vault.WholeLog()) completed += entry.action == "erasure.completed";
  CHECK(completed == 1);
  vault.CheckInvariants();
}

}  // namespace coffer::vault
