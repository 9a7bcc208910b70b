// What the engine does now and then, by a clock that ran ahead and was put right again.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

#include "tests/vault/test_engine.h"

namespace coffer::vault {
namespace {

std::int64_t Residues(TestEngine& engine) {
  const Database reader = engine.Reader();
  auto select = Statement::Prepare(reader, "SELECT count(*) FROM idempotency");
  REQUIRE(select);
  auto row = select->Query();
  REQUIRE(row.Next() == true);
  return row.Int(0);
}

// A residue of long ago, which is there when the clock is moved, until it is cleared up.
bool IsPurged(TestEngine& engine, std::uint8_t number, std::int64_t advance) {
  CHECK(engine.Do(OperationKind::kWrite, "residue", [&](Transaction& transaction) -> Status {
    return transaction.stores().idempotency.Insert(crypto::Hash{number}, {}, 1, Timestamp{1});
  }) == "ok");
  engine.clock.Advance(advance);
  for (int i = 0; i < 2400 && Residues(engine) > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Residues(engine) == 0;
}

}  // namespace

TEST_CASE("after a clock that ran ahead what is over is cleared up as before") {
  constexpr std::int64_t kTenYearsMs = std::int64_t{10} * 365 * 24 * 3600 * 1000;
  TestEngine engine;
  engine.Start();
  CHECK(IsPurged(engine, 1, kTenYearsMs));
  CHECK(IsPurged(engine, 2, -kTenYearsMs));
}

}  // namespace coffer::vault
