#include "vault/engine/engine.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "tests/vault/test_engine.h"
#include "vault/access/access_state.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

Numbers UpTo(int n) {
  Numbers numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST_CASE("what an operation did is committed when its call returns") {
  TestEngine engine;
  engine.Start();
  for (int n = 0; n < 5; ++n) {
    CHECK(engine.Put(n) == "ok");
    CHECK(engine.Rows() == UpTo(n + 1));
    CHECK(engine.Log().back() == "put." + std::to_string(n) + " ok");
  }
  engine.CheckInvariants();
}

TEST_CASE("operations that queue up behind another share one commit") {
  TestEngine engine;
  engine.Start();
  engine.Hold();
  {
    std::vector<std::jthread> callers;
    for (int n = 0; n < 20; ++n) {
      callers.emplace_back([&engine, n] { engine.Put(n); });
    }
    engine.AwaitQueued(20);
    CHECK(engine.Rows().empty());
    engine.Release();
  }
  CHECK(engine.Rows() == UpTo(20));
  const auto statistics = engine->Statistics();
  CHECK(statistics.batches == 2);
  CHECK(statistics.operations == 21);
  CHECK(statistics.largest_batch == 20);
  CHECK(statistics.queue_length == 0);
  engine.CheckInvariants();
}

TEST_CASE("many threads submit, and each gets its own answer") {
  constexpr int kThreads = 8;
  constexpr int kEach = 40;
  TestEngine engine;
  engine.Start();
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < kThreads; ++t) {
      callers.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const int n = t * kEach + i;
          if (i % 5 == 4) {
            if (engine.PutAndFail(n) != "changed_mind") ++wrong;
            continue;
          }
          if (engine.Put(n) != "ok") ++wrong;
          // A read that begins after the write sees it.
          std::uint64_t seen = 0;
          const auto read =
              engine.Do(OperationKind::kRead, "read", [&](Transaction& transaction) -> Status {
                COFFER_ASSIGN(const auto catalog,
                              transaction.Of<CatalogState>().catalog_store.Load());
                seen = catalog.purposes.count(TestEngine::PurposeOf(n).code);
                return {};
              });
          if (read != "ok" || seen != 1) ++wrong;
        }
      });
    }
  }
  CHECK(wrong == 0);
  CHECK(engine.Rows().size() == kThreads * kEach * 4 / 5);
  CHECK(engine.Entries().size() == kThreads * (kEach + kEach * 4 / 5));
  engine.CheckInvariants();
}

TEST_CASE("an operation that fails is undone, and its entry stays") {
  TestEngine engine;
  engine.Start();
  CHECK(engine.Put(0) == "ok");
  CHECK(engine.PutAndFail(1) == "changed_mind");
  CHECK(engine.PutAndFail(2, Code::kNotFound, "not_found") == "not_found");
  CHECK(engine.Rows() == Numbers{0});
  CHECK(engine.Log() == Strings{"put.0 ok", "fail.1 changed_mind", "fail.2 not_found"});
  engine.CheckInvariants();
}

TEST_CASE("an operation that fails takes nothing of its neighbours in the batch with it") {
  TestEngine engine;
  engine.Start();
  engine.Hold();
  {
    std::vector<std::jthread> callers;
    for (int n = 0; n < 9; ++n) {
      callers.emplace_back([&engine, n] { n % 3 == 1 ? engine.PutAndFail(n) : engine.Put(n); });
      engine.AwaitQueued(static_cast<std::size_t>(n) + 1);
    }
    engine.Release();
  }
  CHECK(engine->Statistics().batches == 2);
  CHECK(engine.Rows() == Numbers{0, 2, 3, 5, 6, 8});
  CHECK(engine.Log() == Strings{"hold ok", "put.0 ok", "fail.1 changed_mind", "put.2 ok",
                                "put.3 ok", "fail.4 changed_mind", "put.5 ok", "put.6 ok",
                                "fail.7 changed_mind", "put.8 ok"});
  engine.CheckInvariants();
}

TEST_CASE("an operation sees what those before it in its batch did, and nothing that failed") {
  TestEngine engine;
  engine.Start();
  engine.Hold();
  std::vector<std::size_t> seen(3);
  const auto look = [&](std::size_t at) {
    engine.Do(OperationKind::kRead, "look", [&seen, at](Transaction& transaction) -> Status {
      COFFER_ASSIGN(const auto catalog, transaction.Of<CatalogState>().catalog_store.Load());
      seen[at] = catalog.purposes.size();
      return {};
    });
  };
  {
    std::vector<std::jthread> callers;
    callers.emplace_back([&] { engine.Put(0); });
    engine.AwaitQueued(1);
    callers.emplace_back([&] { look(0); });
    engine.AwaitQueued(2);
    callers.emplace_back([&] { engine.PutAndFail(1); });
    engine.AwaitQueued(3);
    callers.emplace_back([&] { look(1); });
    engine.AwaitQueued(4);
    callers.emplace_back([&] { engine.Put(2); });
    engine.AwaitQueued(5);
    callers.emplace_back([&] { look(2); });
    engine.AwaitQueued(6);
    engine.Release();
  }
  CHECK(seen == std::vector<std::size_t>{1, 1, 2});
  engine.CheckInvariants();
}

TEST_CASE("what a failed operation wanted to leave in memory is not taken over") {
  TestEngine engine;
  engine.Start();
  const auto client = ClientId::New(engine.clock.Now());
  TokenRow token;
  token.id = TokenId::New(engine.clock.Now());
  token.digest.fill(7);
  const auto leave = [&](bool fails) {
    return engine.Do(OperationKind::kWrite, "leave", [&](Transaction& transaction) -> Status {
      transaction.AddKey(client, engine.keyring().WrapDataKey(Bytes(32), client.value));
      StageToken(transaction, token);
      Catalog catalog = transaction.Of<CatalogState>().current();
      catalog.purposes["p-1"] = TestEngine::PurposeOf(1);
      ReplaceCatalog(transaction, std::move(catalog));
      return fails ? Status(Fail(Code::kConflict, "changed_mind")) : Status();
    });
  };
  const auto find = [&] {
    std::string found;
    engine.Do(OperationKind::kRead, "find", [&](Transaction& transaction) -> Status {
      found += transaction.PinKey(client) ? "key " : "no key ";
      found +=
          transaction.Of<AccessState>().principals().FindToken(token.id) ? "token " : "no token ";
      found += transaction.Of<AccessState>().principals().FindToken(token.digest) ? "digest "
                                                                                  : "no digest ";
      found += transaction.Of<CatalogState>().current().purposes.contains("p-1") ? "purpose"
                                                                                 : "no purpose";
      return {};
    });
    CHECK(engine->Of<CatalogState>().Published()->purposes.contains("p-1") ==
          !found.ends_with("no purpose"));
    return found;
  };
  CHECK(leave(true) == "changed_mind");
  CHECK(find() == "no key no token no digest no purpose");
  CHECK(leave(false) == "ok");
  CHECK(find() == "key token digest purpose");
}

TEST_CASE("a key that is destroyed is gone for the next operation of the same batch") {
  TestEngine engine;
  engine.Start();
  const auto client = ClientId::New(engine.clock.Now());
  const auto pin = [&] {
    return engine.Do(OperationKind::kRead, "pin", [&](Transaction& transaction) -> Status {
      return TestEngine::Pin(transaction, client);
    });
  };
  CHECK(pin() == "not_found");
  CHECK(engine.Do(OperationKind::kWrite, "add", [&](Transaction& transaction) -> Status {
    transaction.AddKey(client, engine.keyring().WrapDataKey(Bytes(32), client.value));
    return {};
  }) == "ok");
  CHECK(pin() == "ok");
  engine.Hold();
  std::string after;
  {
    const std::jthread erasing([&] {
      engine.Do(OperationKind::kWrite, "erase", [&](Transaction& transaction) -> Status {
        return TestEngine::Erase(transaction, client);
      });
    });
    engine.AwaitQueued(1);
    const std::jthread reading([&] { after = pin(); });
    engine.AwaitQueued(2);
    engine.Release();
  }
  CHECK(after == "not_found");
  CHECK(pin() == "not_found");
  CHECK(engine->key_cache().size() == 0);
}

TEST_CASE("a queue that is full refuses at once, and takes more when it has drained") {
  TestEngine engine(3);
  engine.Start();
  engine.Hold();
  {
    std::vector<std::jthread> callers;
    for (int n = 0; n < 3; ++n) callers.emplace_back([&engine, n] { engine.Put(n); });
    engine.AwaitQueued(3);
    CHECK(engine.Put(3) == "queue_full");
    CHECK(engine.Put(4) == "queue_full");
    CHECK(engine->Statistics().refused_full == 2);
    engine.Release();
  }
  CHECK(engine.Put(5) == "ok");
  CHECK(engine.Rows() == Numbers{0, 1, 2, 5});
  engine.CheckInvariants();
}

TEST_CASE("a stop runs what is queued and refuses what comes later") {
  TestEngine engine(5);
  engine.Start();
  engine.Hold();
  {
    std::vector<std::jthread> callers;
    for (int n = 0; n < 5; ++n) callers.emplace_back([&engine, n] { engine.Put(n); });
    engine.AwaitQueued(5);
    const std::jthread stopping([&] { engine->Stop(); });
    // The queue is full until the stop is seen.
    while (engine.Put(9) != "stopping") std::this_thread::yield();
    engine.Release();
  }
  CHECK(engine.Rows() == UpTo(5));
  CHECK(engine.Put(10) == "stopping");
  engine->Stop();  // again is no matter
  engine.CheckInvariants();
}

TEST_CASE("entries get what their operation did not say, and follow those of its parts") {
  TestEngine engine;
  engine.Start();
  audit::Entry entry;
  entry.action = "list";
  entry.actor = "svc_1";
  entry.actor_kind = audit::ActorKind::kService;
  entry.auth = "token";
  entry.address = "192.0.2.1";
  entry.request = "call_1";
  entry.purpose = "care";
  entry.rule = "role:x";
  entry.decision = audit::Decision::kAllow;
  std::uint64_t announced = 0;
  CHECK(engine->Run(OperationKind::kRead, EntryRule::kAlways, entry,
                    [&](Transaction& transaction) -> Status {
                      for (const char* client : {"cli_1", "cli_2"}) {
                        audit::Entry part;
                        part.action = "part";
                        part.client = client;
                        transaction.Also(std::move(part));
                      }
                      announced = transaction.NextSeq();
                      return {};
                    }));
  const auto log = engine.Entries();
  REQUIRE(log.size() == 3);
  CHECK(announced == 2);
  CHECK(entry.seq == 2);
  CHECK(log[0].client == "cli_1");
  CHECK(log[1].client == "cli_2");
  CHECK(log[2].action == "list");
  for (const auto& each : log) {
    CHECK(each.actor == "svc_1");
    CHECK(each.actor_kind == audit::ActorKind::kService);
    CHECK(each.auth == "token");
    CHECK(each.address == "192.0.2.1");
    CHECK(each.request == "call_1");
    CHECK(each.purpose == "care");
    CHECK(each.rule == "role:x");
    CHECK(each.decision == audit::Decision::kAllow);
    CHECK(each.outcome == "ok");
    CHECK(each.ts == engine.clock.Now());
  }
  engine.CheckInvariants();
}

TEST_CASE("an operation that fails leaves one entry, whatever it had in mind") {
  TestEngine engine;
  engine.Start();
  CHECK(engine.Do(OperationKind::kRead, "list", [](Transaction& transaction) -> Status {
    transaction.Also({});
    transaction.Also({});
    return Fail(Code::kPermissionDenied, "permission_denied");
  }) == "permission_denied");
  CHECK(engine.Log() == Strings{"list permission_denied"});
}

TEST_CASE("a rule decides which operations leave an entry") {
  TestEngine engine;
  engine.Start();
  const auto run = [&](EntryRule rule, bool fails) {
    return engine.Do(
        OperationKind::kRead, "x",
        [fails](Transaction&) -> Status {
          if (fails) return Fail(Code::kNotFound, "not_found");
          return {};
        },
        rule);
  };
  CHECK(run(EntryRule::kNever, false) == "ok");
  CHECK(run(EntryRule::kNever, true) == "not_found");
  CHECK(run(EntryRule::kOnRefusal, false) == "ok");
  CHECK(engine.Entries().empty());
  CHECK(run(EntryRule::kOnRefusal, true) == "not_found");
  CHECK(engine.Log() == Strings{"x not_found"});
}

TEST_CASE("the head inside an operation is the one that its commit makes durable") {
  TestEngine engine;
  engine.Start();
  CHECK(engine.Put(0) == "ok");
  std::uint64_t size = 0;
  audit::Hash root{};
  CHECK(engine.Do(
            OperationKind::kRead, "",
            [&](Transaction&) -> Status {
              size = engine->HeadInTransaction().size;
              root = engine->HeadInTransaction().frontier.Root();
              return {};
            },
            EntryRule::kNever) == "ok");
  CHECK(size == 1);
  Database reader = engine.Reader();
  auto log = LogStore::Open(reader);
  REQUIRE(log);
  CHECK(audit::RootAt(1, audit::MakeHashReader(**log, 1)) == root);
}

TEST_CASE("a clock that goes back moves no entry before another, and is recorded") {
  TestEngine engine;
  engine.Start();
  CHECK(engine.Put(0) == "ok");
  engine.clock.Advance(-5'000);
  CHECK(engine.Put(1) == "ok");
  engine.clock.Advance(6'000);
  CHECK(engine.Put(2) == "ok");
  const auto log = engine.Entries();
  REQUIRE(log.size() == 3);
  CHECK(log[1].ts == log[0].ts);
  CHECK(log[1].skew_ms == 5'000);
  CHECK(log[2].ts.ms == log[0].ts.ms + 1'000);
  CHECK(log[2].skew_ms == 0);
  engine.CheckInvariants();
}

TEST_CASE("the log goes on across full tiles and starts of the process") {
  TestEngine engine;
  int n = 0;
  for (const int more : {10, 250, 260}) {
    engine.Start();
    engine.Hold();
    {
      std::vector<std::jthread> callers;
      for (int i = 0; i < more; ++i) callers.emplace_back([&engine, n, i] { engine.Put(n + i); });
      engine.AwaitQueued(static_cast<std::size_t>(more));
      engine.Release();
    }
    n += more;
    engine.CheckInvariants();
    engine.Close();
    engine.Open();
  }
  CHECK(engine.Rows() == UpTo(520));
  CHECK(engine.Entries().size() == 523);
  engine.CheckInvariants();
}

}  // namespace
}  // namespace coffer::vault
