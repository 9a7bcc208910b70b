// What the engine does now and then, by a clock that ran ahead and was put right again.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

#include "tests/vault/test_engine.h"
#include "vault/clients/clients_state.h"

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
    return transaction.Of<ClientsState>().stores.idempotency.Insert(crypto::Hash{number}, {}, 1,
                                                                    Timestamp{1});
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

TEST_CASE("clearing up goes on until nothing is left that is over, and takes nothing else") {
  constexpr std::int64_t kDayMs = 24 * 3600 * 1000;
  TestEngine engine;
  engine.Start();
  const std::int64_t now = engine.clock.Now().ms;
  // In the order in which they are looked at: what a clock made that ran ahead, what is over, what
  // is not.
  const auto created = [&](int i) {
    return Timestamp{i < 1500 ? now + 400 * kDayMs : i < 4000 ? now - 2 * kDayMs : now};
  };
  CHECK(engine.Do(OperationKind::kWrite, "residues", [&](Transaction& transaction) -> Status {
    for (int i = 0; i < 4010; ++i) {
      const crypto::Hash key{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
      COFFER_TRY(transaction.Of<ClientsState>().stores.idempotency.Insert(key, {}, 1, created(i)));
    }
    return {};
  }) == "ok");
  engine.clock.Advance(kDayMs / 2);
  for (int i = 0; i < 2400 && Residues(engine) > 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(Residues(engine) == 10);
}

}  // namespace coffer::vault
