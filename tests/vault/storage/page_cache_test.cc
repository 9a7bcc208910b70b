// Tables that grow, shrink, split pages and roll back, held to a model: no page is ever stale.
#include "vault/storage/page_cache.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>
#include <random>
#include <string>

#include "crypto/secret_bytes.h"
#include "tests/support/temporary_directory.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {
namespace {

using Rows = std::map<std::string, std::int64_t>;

Rows Read(Database& database) {
  auto all = Statement::Prepare(database, "SELECT k, v FROM t ORDER BY k");
  REQUIRE(all);
  Rows rows;
  auto cursor = all->Query();
  for (;;) {
    const auto more = cursor.Next();
    REQUIRE(more);
    if (!*more) return rows;
    rows.emplace(std::string(cursor.Text(0)), cursor.Int(1));
  }
}

TEST_CASE("what a cache holds is what was committed, through splits, rollbacks and vacuums") {
  const int cache_kib = GENERATE(64, 65536);
  const testing::TemporaryDirectory work;
  REQUIRE(crypto::InitializeCrypto());
  const auto key = crypto::SecretBytes::Random(32);
  auto database = Database::Open(work / "t.db", key, {.create = true, .cache_kib = cache_kib});
  REQUIRE(database);
  REQUIRE(
      database->Execute("CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER) STRICT, WITHOUT ROWID"));
  auto put = Statement::Prepare(*database, "INSERT OR REPLACE INTO t VALUES (?, ?)");
  auto remove = Statement::Prepare(*database, "DELETE FROM t WHERE k >= ? AND k < ?");
  REQUIRE(put);
  REQUIRE(remove);

  std::mt19937 random(7);
  Rows expected;
  const auto random_key = [&] {
    return std::to_string(random() % 100'000) + std::string(random() % 200, 'x');
  };
#ifdef COFFER_SANITIZED
  constexpr int kRounds = 40;
#else
  constexpr int kRounds = 120;
#endif
  for (int round = 0; round < kRounds; ++round) {
    INFO("round " << round);
    Rows rows = expected;
    REQUIRE(database->Execute("BEGIN IMMEDIATE"));
    for (int step = 0; step < 3; ++step) {
      REQUIRE(database->Execute("SAVEPOINT s"));
      const Rows before = rows;
      for (int i = 0; i < 60; ++i) {
        const std::string k = random_key();
        REQUIRE(put->Execute(std::string_view(k), std::int64_t{round}));
        rows[k] = round;
      }
      if (random() % 3 == 0) {
        const std::string from = std::to_string(random() % 10);
        const std::string to = from + "5";
        REQUIRE(remove->Execute(std::string_view(from), std::string_view(to)));
        std::erase_if(rows, [&](const auto& row) { return row.first >= from && row.first < to; });
      }
      if (random() % 3 == 0) {
        REQUIRE(database->Execute("ROLLBACK TO s"));
        rows = before;
      }
      REQUIRE(database->Execute("RELEASE s"));
    }
    if (random() % 4 == 0) {
      REQUIRE(database->Execute("ROLLBACK"));
    } else {
      REQUIRE(database->Execute("COMMIT"));
      expected = rows;
    }
    if (round % 40 == 39) REQUIRE(database->Execute("VACUUM"));
    if (round % 10 == 9) REQUIRE(Read(*database) == expected);
  }
  auto second = Database::Open(work / "t.db", key, {});
  REQUIRE(second);
  CHECK(Read(*second) == expected);
  CHECK(!expected.empty());
}

}  // namespace
}  // namespace coffer::vault
