// Many operations of one caller in one commit, and what others wait for meanwhile.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <functional>
#include <new>

#include "tests/vault/test_engine.h"

namespace coffer::vault {
namespace {

// One call: puts of these numbers, of which each multiple of five fails.
class BulkCall {
 public:
  explicit BulkCall(const Numbers& numbers) : numbers_(numbers) {
    for (const int n : numbers_) {
      audit::Entry& entry = entries_.emplace_back();
      entry.action = "put." + std::to_string(n);
      entry.decision = audit::Decision::kAllow;
      works_.emplace_back([n](Transaction& transaction) -> Status {
        COFFER_TRY(TestEngine::Write(transaction, n));
        if (n % 5 == 0) return Fail(Code::kConflict, "changed_mind");
        return {};
      });
      operations_.push_back({OperationKind::kWrite, EntryRule::kAlways, &entry, works_.back(), {}});
    }
  }
  Strings Run(TestEngine& engine) {
    engine->RunInBulk(operations_);
    Strings answers;
    for (const auto& operation : operations_) answers.push_back(AnswerOf(operation.status));
    return answers;
  }

 private:
  Numbers numbers_;
  std::deque<audit::Entry> entries_;
  std::deque<std::function<Status(Transaction&)>> works_;
  std::vector<Engine::Operation> operations_;
};

Numbers Range(int from, int count) {
  Numbers numbers;
  for (int n = from; n < from + count; ++n) numbers.push_back(n);
  return numbers;
}

TEST_CASE("many operations of one call share commits, and each has its own answer") {
  TestEngine engine;
  engine.Start();
  const auto answers = BulkCall(Range(1, 12)).Run(engine);
  Strings log;
  for (int n = 1; n <= 12; ++n) {
    const std::string answer = n % 5 == 0 ? "changed_mind" : "ok";
    CHECK(answers[static_cast<std::size_t>(n - 1)] == answer);
    log.push_back("put." + std::to_string(n) + " " + answer);
  }
  CHECK(engine.Log() == log);
  CHECK(engine.Rows() == Numbers{1, 2, 3, 4, 6, 7, 8, 9, 11, 12});
  CHECK(engine->Statistics().batches < 12);  // one, unless it takes them longer than a batch may
  CHECK(BulkCall(Numbers()).Run(engine).empty());
  engine.CheckInvariants();
}

TEST_CASE("whoever asks for one thing is served before what was waiting in bulk") {
  constexpr int kBeside = static_cast<int>(Engine::kBulkBeside);
  constexpr int kAlone = static_cast<int>(Engine::kBulkAlone);
  // Calls of less, as much and more than a batch takes of them.
  for (const int each : {kBeside / 2, kBeside, kBeside + 1, kAlone + 3}) {
    CAPTURE(each);
    TestEngine engine;
    engine.Start();
    engine.Hold();
    constexpr int kCalls = 5;
    std::atomic<int> wrong{0};
    {
      std::vector<std::jthread> callers;
      for (int call = 0; call < kCalls; ++call) {
        const Numbers numbers = Range(1000 + call * each, each);
        callers.emplace_back([&engine, &wrong, numbers] {
          const auto answers = BulkCall(numbers).Run(engine);
          const Numbers rows = engine.Rows();  // what is answered is committed
          for (std::size_t i = 0; i < numbers.size(); ++i) {
            const bool fails = numbers[i] % 5 == 0;
            if (answers[i] != (fails ? "changed_mind" : "ok")) ++wrong;
            if (std::ranges::binary_search(rows, numbers[i]) == fails) ++wrong;
          }
        });
        engine.AwaitQueued(static_cast<std::size_t>((call + 1) * each));
      }
      callers.emplace_back([&engine] { engine.Put(1); });
      engine.AwaitQueued(static_cast<std::size_t>(kCalls * each + 1));
      engine.Release();
    }
    CHECK(wrong == 0);
    const Strings log = engine.Log();
    REQUIRE(log.size() == static_cast<std::size_t>(kCalls * each + 2));
    CHECK(log[1] == "put.1 ok");
    bool in_order = true;  // of the calls
    for (int i = 0; i < kCalls * each; ++i) {
      in_order = in_order && log[static_cast<std::size_t>(i + 2)].starts_with(
                                 "put." + std::to_string(1000 + i) + " ");
    }
    CHECK(in_order);
    const auto statistics = engine->Statistics();
    CHECK(statistics.batches >= static_cast<std::uint64_t>(2 + (kCalls * each - 1) / kAlone));
    CHECK(statistics.largest_batch <= kAlone);
    CHECK(statistics.queue_length == 0);
    engine.CheckInvariants();
  }
}

TEST_CASE("what waits in bulk gets on, however many ask for one thing") {
  TestEngine engine;
  engine.Start();
  std::atomic<bool> done{false};
  {
    std::vector<std::jthread> singles;
    for (int t = 0; t < 4; ++t) {
      singles.emplace_back([&engine, &done] {
        while (!done)
          engine.Do(OperationKind::kRead, "read", [](Transaction&) { return Status{}; });
      });
    }
    CHECK(BulkCall(Range(1, 200)).Run(engine).size() == 200);
    done = true;
  }
  CHECK(engine.Rows().size() == 160);
  engine.CheckInvariants();
}

TEST_CASE("a queue that is full of single requests refuses nothing that comes in bulk") {
  TestEngine engine(8);
  engine.Start();
  engine.Hold();
  {
    std::vector<std::jthread> callers;
    for (int n = 0; n < 8; ++n) callers.emplace_back([&engine, n] { engine.Put(1000 + n); });
    engine.AwaitQueued(8);
    CHECK(engine.Put(2000) == "queue_full");
    callers.emplace_back([&engine] { BulkCall(Range(1, 30)).Run(engine); });
    engine.AwaitQueued(8 + 30);
    engine.Release();
  }
  CHECK(engine.Rows().size() == 8 + 24);
  engine.CheckInvariants();
}

TEST_CASE("a stop runs what waits in bulk and refuses what comes later") {
  TestEngine engine;
  engine.Start();
  engine.Hold();
  Strings answers;
  {
    const std::jthread caller([&] { answers = BulkCall(Range(1, 4)).Run(engine); });
    engine.AwaitQueued(4);
    const std::jthread stop([&engine] { engine->Stop(); });
    // Let in until the stop is seen; what was let in is run.
    std::atomic<bool> stopping{false};
    std::vector<std::jthread> others;
    for (int n = 0; !stopping; ++n) {
      others.emplace_back([&engine, &stopping, n] {
        if (BulkCall({1001 + 5 * n}).Run(engine) == Strings{"stopping"}) stopping = true;
      });
      std::this_thread::yield();
    }
    engine.Release();
  }
  CHECK(answers == Strings(4, "ok"));
  CHECK(BulkCall(Range(301, 2)).Run(engine) == Strings(2, "stopping"));
  engine.CheckInvariants();
}

TEST_CASE("where a batch fails, what is left of its calls fails with it") {
  constexpr std::size_t kMany = 2 * Engine::kBulkAlone;
  TestEngine engine;
  engine.Start();
  std::deque<audit::Entry> entries(kMany + 1);
  std::size_t ran = 0;
  // In the second batch, whichever operation that is.
  const auto write = [&](Transaction& transaction) -> Status {
    ++ran;
    COFFER_TRY(TestEngine::Write(transaction, static_cast<int>(ran)));
    if (engine->Statistics().batches == 1) return Fail(Code::kUnavailable, "storage_unavailable");
    return {};
  };
  std::vector<Engine::Operation> operations;
  for (std::size_t i = 0; i < kMany; ++i) {
    entries[i].action = "put." + std::to_string(i + 1);
    entries[i].decision = audit::Decision::kAllow;
    operations.push_back({OperationKind::kWrite, EntryRule::kAlways, &entries[i], write, {}});
  }
  engine->RunInBulk(operations);
  const Numbers rows = engine.Rows();
  CHECK(!rows.empty());
  CHECK(rows.size() < kMany);
  for (std::size_t i = 0; i < kMany; ++i) {
    CHECK(AnswerOf(operations[i].status) == (i < rows.size() ? "ok" : "log_unavailable"));
  }
  CHECK(ran == rows.size() + 1);
  CHECK(engine->Statistics().queue_length == 0);
  CHECK(engine.Put(9000) == "ok");
  engine.CheckInvariants();
}

TEST_CASE("one operation for which there is no memory fails alone") {
  TestEngine engine;
  engine.Start();
  audit::Entry entries[3];
  for (int n = 0; n < 3; ++n) {
    entries[n].action = "put." + std::to_string(n);
    entries[n].decision = audit::Decision::kAllow;
  }
  int n = 0;
  const auto write = [&](Transaction& transaction) -> Status {
    COFFER_TRY(TestEngine::Write(transaction, n));
    if (n++ == 1) throw std::bad_alloc();
    return {};
  };
  Engine::Operation operations[] = {
      {OperationKind::kWrite, EntryRule::kAlways, &entries[0], write, {}},
      {OperationKind::kWrite, EntryRule::kAlways, &entries[1], write, {}},
      {OperationKind::kWrite, EntryRule::kAlways, &entries[2], write, {}}};
  engine->RunInBulk(operations);
  CHECK(AnswerOf(operations[0].status) == "ok");
  CHECK(AnswerOf(operations[1].status) == kNoMemory);
  CHECK(AnswerOf(operations[2].status) == "ok");
  CHECK(engine.Rows() == Numbers{0, 2});
  engine.CheckInvariants();
}

TEST_CASE("an operation has the key that it adds, whether or not it is cached") {
  TestEngine engine;
  engine.Start();
  const auto client = ClientId::New(engine.clock.Now());
  const Bytes wrapped = engine.keyring().WrapDataKey(Bytes(32), client.value);
  CHECK(engine.Do(OperationKind::kWrite, "add", [&](Transaction& transaction) -> Status {
    transaction.AddKey(client, wrapped);
    return TestEngine::Pin(transaction, client);
  }) == "ok");
}

TEST_CASE("a batch that cannot be committed fails every operation of a call") {
  TestEngine engine;
  engine.Start();
  audit::Entry entries[2];
  int calls = 0;
  const auto write = [&](Transaction& transaction) -> Status {
    COFFER_TRY(TestEngine::Write(transaction, 7));
    if (++calls == 2) return Fail(Code::kUnavailable, "storage_unavailable");
    return {};
  };
  Engine::Operation operations[] = {
      {OperationKind::kWrite, EntryRule::kAlways, &entries[0], write, {}},
      {OperationKind::kWrite, EntryRule::kAlways, &entries[1], write, {}}};
  engine->RunInBulk(operations);
  for (const auto& operation : operations) CHECK(AnswerOf(operation.status) == "log_unavailable");
  CHECK(engine.Rows().empty());
  CHECK(engine.Log().empty());
  CHECK(engine.Put(1) == "ok");
  engine.CheckInvariants();
}

}  // namespace
}  // namespace coffer::vault
