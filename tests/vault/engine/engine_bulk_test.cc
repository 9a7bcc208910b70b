// Many operations of one caller in one commit, and what others wait for meanwhile.
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <functional>

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

TEST_CASE("many operations of one call are one commit, and each has its own answer") {
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
  CHECK(engine->Statistics().batches == 1);
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
    {
      std::vector<std::jthread> callers;
      for (int call = 0; call < kCalls; ++call) {
        callers.emplace_back(
            [&engine, call, each] { BulkCall(Range(1000 + call * each, each)).Run(engine); });
        engine.AwaitQueued(static_cast<std::size_t>((call + 1) * each));
      }
      callers.emplace_back([&engine] { engine.Put(1); });
      engine.AwaitQueued(static_cast<std::size_t>(kCalls * each + 1));
      engine.Release();
    }
    const Strings log = engine.Log();
    REQUIRE(log.size() == static_cast<std::size_t>(kCalls * each + 2));
    CHECK(log[1] == "put.1 ok");
    for (int i = 0; i < kCalls * each; ++i) {  // in the order of the calls
      CHECK(log[static_cast<std::size_t>(i + 2)].starts_with("put." + std::to_string(1000 + i) +
                                                             " "));
    }
    // That of the hold, that of the put with some beside it, and those of the rest.
    const int rest = kCalls * each - kBeside;
    CHECK(engine->Statistics().batches ==
          static_cast<std::uint64_t>(2 + (rest + kAlone - 1) / kAlone));
    engine.CheckInvariants();
  }
}

TEST_CASE("what is asked for in bulk beyond the queue is refused, and so is what comes too late") {
  TestEngine engine(40);
  engine.Start();
  engine.Hold();
  {
    const std::jthread first([&engine] { BulkCall(Range(1, 30)).Run(engine); });
    engine.AwaitQueued(30);
    CHECK(BulkCall(Range(101, 11)).Run(engine) == Strings(11, "queue_full"));
    const std::jthread second([&engine] { BulkCall(Range(201, 10)).Run(engine); });
    engine.AwaitQueued(40);
    CHECK(engine->Statistics().refused_full == 1);
    engine.Release();
  }
  CHECK(engine.Rows().size() == 24 + 8);
  engine->Stop();
  CHECK(BulkCall(Range(301, 2)).Run(engine) == Strings(2, "stopping"));
  engine.CheckInvariants();
}

TEST_CASE("a stop runs what waits in bulk") {
  TestEngine engine;
  engine.Start();
  engine.Hold();
  Strings answers;
  {
    const std::jthread caller([&] { answers = BulkCall(Range(1, 4)).Run(engine); });
    engine.AwaitQueued(4);
    const std::jthread stop([&engine] { engine->Stop(); });
    engine.Release();
  }
  CHECK(answers == Strings(4, "ok"));
  CHECK(engine.Rows() == Numbers{1, 2, 3, 4});
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
