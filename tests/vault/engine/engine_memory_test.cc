// A request that there is no memory for fails alone, at whatever step, and the engine goes on.
#include <catch2/catch_test_macros.hpp>
#include <new>
#include <thread>

#include "tests/vault/test_engine.h"
#include "vault/access/access_state.h"

namespace coffer::vault {
namespace {

TEST_CASE(
    "an operation without memory fails alone in its batch, and leaves nothing but its entry") {
  TestEngine engine;
  engine.Start();
  engine.Hold();
  Strings answers(4);
  {
    std::vector<std::jthread> callers;
    const auto ask = [&](std::size_t n, auto work) {
      callers.emplace_back([&, n, work] { answers[n] = work(); });
      engine.AwaitQueued(n + 1);
    };
    ask(0, [&] { return engine.Put(0); });
    ask(1, [&] {
      return engine.Do(OperationKind::kWrite, "large.write",
                       [](Transaction& transaction) -> Status {
                         COFFER_TRY(TestEngine::Write(transaction, 1));
                         throw std::bad_alloc();
                       });
    });
    ask(2, [&] {
      return engine.Do(OperationKind::kRead, "large.read",
                       [](Transaction&) -> Status { throw std::bad_alloc(); });
    });
    ask(3, [&] { return engine.Put(3); });
    engine.Release();
  }
  CHECK(answers == Strings{"ok", "memory_exhausted", "memory_exhausted", "ok"});
  CHECK(engine->healthy());
  CHECK(engine->Statistics().commit_failures == 0);
  CHECK(engine.Rows() == Numbers{0, 3});
  CHECK(engine.Log() == Strings{"hold ok", "put.0 ok", "large.write memory_exhausted",
                                "large.read memory_exhausted", "put.3 ok"});
  CHECK(engine.Put(4) == "ok");
  engine.CheckInvariants();
}

TEST_CASE("what is left in memory of an operation that failed so is what the database says") {
  TestEngine engine;
  engine.Start();
  CHECK(engine.Do(OperationKind::kWrite, "large.write", [](Transaction& transaction) -> Status {
    StagePrincipal(transaction, {.id = PrincipalId::New(transaction.now(), PrincipalKind::kService),
                                 .name = "n",
                                 .role = "auditor",
                                 .login = {},
                                 .created = {},
                                 .disabled = {},
                                 .owner = {},
                                 .certificates = {}});
    throw std::bad_alloc();
  }) == "memory_exhausted");
  CHECK(engine.Do(OperationKind::kRead, "look", [](Transaction& transaction) -> Status {
    return transaction.Of<AccessState>().principals().Principals().empty()
               ? Status{}
               : Fail(Code::kConflict, "left_behind");
  }) == "ok");
  engine.CheckInvariants();
}

TEST_CASE("many new keys leave no more of the WAL of keys.db than is bounded") {
  TestEngine engine;
  engine.Start();
  const Bytes wrapped(1024, 7);
  for (int n = 0; n < 40; ++n) {
    REQUIRE(engine.Do(OperationKind::kWrite, "key." + std::to_string(n),
                      [&](Transaction& transaction) -> Status {
                        for (int i = 0; i < 500; ++i) {
                          transaction.AddKey(ClientId::New(transaction.now()), wrapped);
                        }
                        return {};
                      }) == "ok");
  }
  const auto wal = std::filesystem::file_size(engine.keys_path() + "-wal");
  INFO(wal);
  CHECK(wal < 8 * 1024 * 1024);  // 20 MB of keys went through it
  CHECK(std::filesystem::file_size(engine.keys_path()) > 2 * wal);
  CHECK(engine->Statistics().keys_wal_frames < 2000);
}

}  // namespace
}  // namespace coffer::vault
