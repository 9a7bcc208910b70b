#include "vault/storage/migrations.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "tests/support/open_vault.h"
#include "tests/support/temporary_directory.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {
namespace {

using testing::AnswerOf;

const std::vector<Migration> kBothSteps = {{"0001_start", "CREATE TABLE a (x INTEGER) STRICT"},
                                           {"0002_more", "CREATE TABLE b (y INTEGER) STRICT"}};

class MigratedDatabase {
 public:
  MigratedDatabase() {
    REQUIRE(crypto::InitializeCrypto());
    auto opened =
        Database::Open(work_ / "test.db", crypto::SecretBytes::Random(32), {.create = true});
    REQUIRE(opened);
    database_ = *std::move(opened);
  }
  Database& operator*() { return database_; }
  Database* operator->() { return &database_; }
  // "0001_start=hash …" as the register has it.
  std::vector<std::string> Applied() {
    std::vector<std::string> names;
    auto select = Statement::Prepare(database_, "SELECT name, sha256 FROM schema_migrations");
    REQUIRE(select);
    auto rows = select->Query();
    while (*rows.Next())
      names.push_back(std::string(rows.Text(0)) + "=" + std::string(rows.Text(1)));
    return names;
  }
  bool HasTable(std::string_view name) {
    auto select = Statement::Prepare(database_, "SELECT 1 FROM sqlite_schema WHERE name = ?");
    REQUIRE(select);
    return select->Query(name).Next() == true;
  }

 private:
  testing::TemporaryDirectory work_;
  Database database_;
};

std::string HashOfSql(std::string_view sql) {
  return crypto::HexEncode(crypto::Sha256(crypto::AsBytes(sql)));
}

TEST_CASE("migrations are applied once, in order, with the hash of their text") {
  MigratedDatabase database;
  REQUIRE(Migrate(*database, kBothSteps));
  CHECK(database.HasTable("a"));
  CHECK(database.HasTable("b"));
  const std::vector<std::string> applied = {"0001_start=" + HashOfSql(kBothSteps[0].sql),
                                            "0002_more=" + HashOfSql(kBothSteps[1].sql)};
  CHECK(database.Applied() == applied);
  REQUIRE(Migrate(*database, kBothSteps));
  CHECK(database.Applied() == applied);
}

TEST_CASE("a newer program adds what is missing") {
  MigratedDatabase database;
  REQUIRE(Migrate(*database, {kBothSteps[0]}));
  CHECK(!database.HasTable("b"));
  REQUIRE(Migrate(*database, kBothSteps));
  CHECK(database.HasTable("b"));
}

TEST_CASE("an altered, renamed or missing migration is refused, and nothing changes") {
  MigratedDatabase database;
  REQUIRE(Migrate(*database, kBothSteps));
  const auto before = database.Applied();
  const std::vector<Migration> altered = {{"0001_start", "CREATE TABLE a (x INTEGER) STRICT "},
                                          kBothSteps[1]};
  const std::vector<Migration> renamed = {{"0001_begin", kBothSteps[0].sql}, kBothSteps[1]};
  const std::vector<Migration> swapped = {kBothSteps[1], kBothSteps[0]};
  const std::vector<Migration> older = {kBothSteps[0]};  // a newer program wrote the file
  const std::vector<Migration> none;
  for (const auto& migrations : {altered, renamed, swapped, older, none}) {
    const auto migrated = Migrate(*database, migrations);
    REQUIRE(!migrated);
    CHECK(migrated.error().code == Code::kCorrupted);
    CHECK(migrated.error().reason == "migration_altered");
    CHECK(migrated.error().detail.find("another version") != std::string::npos);
    CHECK(database.Applied() == before);
  }
  REQUIRE(Migrate(*database, kBothSteps));
}

TEST_CASE("migrations are applied all or not at all") {
  MigratedDatabase database;
  const std::vector<Migration> broken = {
      kBothSteps[0], {"0002_broken", "CREATE TABLE b (y INTEGER) STRICT; CREATE NONSENSE"}};
  CHECK(!Migrate(*database, broken));
  CHECK(!database.HasTable("a"));
  CHECK(!database.HasTable("b"));
  CHECK(!database.HasTable("schema_migrations"));
  CHECK(sqlite3_get_autocommit(database->handle()) != 0);
  REQUIRE(Migrate(*database, kBothSteps));
}

TEST_CASE("the migrations of today are the ones that existing vaults were made with") {
  // A released migration never changes: add one instead. These hashes are in every vault's files.
  REQUIRE(VaultMigrations().size() >= 1);
  CHECK(VaultMigrations()[0].name == "0001_start");
  REQUIRE(KeysMigrations().size() >= 1);
  CHECK(KeysMigrations()[0].name == "0001_start");
  CHECK(HashOfSql(VaultMigrations()[0].sql) ==
        "fe992ca76d207469f11b17bf9546f09da55d0ea5785b6d41a08485c9af33cbb5");
  CHECK(HashOfSql(KeysMigrations()[0].sql) ==
        "56c3d545e45b2de049e1ddfb9e99276416cfb1eef9ac74b8c9099134282da477");
}

}  // namespace
}  // namespace coffer::vault
