// The pages that a database's commits wrote, whatever its write-ahead log is doing meanwhile: a
// copy to which only these are added is the database.
#include "vault/storage/page_changes.h"

#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <random>
#include <string>

#include "crypto/random.h"
#include "tests/support/sampling.h"
#include "tests/support/temporary_directory.h"
#include "vault/storage/page_image.h"
#include "vault/storage/write_ahead_log.h"

namespace coffer::vault {
namespace {

crypto::SecretBytes NewKey() {
  REQUIRE(crypto::InitializeCrypto());
  crypto::SecretBytes key(32);
  crypto::FillRandom(key.ExposeSecretForWriting());
  return key;
}

class Followed {
 public:
  Followed() {
    auto opened = Database::Open(path_, key_, {.create = true, .cache_kib = 64});
    REQUIRE(opened);
    database_ = *std::move(opened);
    REQUIRE(database_.Execute("CREATE TABLE t (id INTEGER PRIMARY KEY, content BLOB)"));
    wal_.emplace(database_, WriteAheadLog::Words{}, [](const std::string&) {});
    wal_->Follow();
  }

  // One of the things that happen to a database, by chance.
  void Happen(std::mt19937& chance) {
    const auto id = [&] { return std::to_string(chance() % 4000); };
    switch (chance() % 12) {
      case 0:  // so much that it is spilled before it is committed, or taken back
      case 1:
        Execute("BEGIN IMMEDIATE");
        Execute(
            "INSERT OR REPLACE INTO t SELECT n.value, randomblob(600) FROM "
            "(WITH RECURSIVE n(value) AS (SELECT " +
            id() +
            " UNION ALL SELECT value + 1 FROM "
            "n LIMIT 700) SELECT value FROM n) n");
        Execute(chance() % 2 == 0 ? "COMMIT" : "ROLLBACK");
        break;
      case 2:
        Execute("DELETE FROM t WHERE id > " + id());
        break;
      case 3:
        REQUIRE(wal_->Step(true));
        break;
      case 4:
        REQUIRE(wal_->Empty());
        break;
      case 5:
        REQUIRE(database_.Checkpoint(false));  // by somebody who knows nothing of it
        break;
      case 6:
        REQUIRE(database_.TruncateWal());
        break;
      case 7:
        held_.reset();
        if (chance() % 2 == 0) held_ = Image();
        break;
      case 8:
        Execute("PRAGMA incremental_vacuum(5)");
        break;
      default:
        Execute("INSERT OR REPLACE INTO t VALUES (" + id() + ", randomblob(" + id() + "))");
    }
  }

  // Adds what changed to the copy. Returns how many pages that were.
  std::uint64_t Follow() {
    const PageImage image = Image();
    const PageSet changed = wal_->TakeChanges();
    std::uint64_t taken = 0;
    copy_.resize(static_cast<std::size_t>(image.pages()) * kDatabasePageBytes);
    REQUIRE(changed.ForEachRun(image.pages(), 3, [&](std::uint64_t first, std::uint64_t count) {
      taken += count;
      return image.Read(
          first, std::span(copy_).subspan(static_cast<std::size_t>(first) * kDatabasePageBytes,
                                          static_cast<std::size_t>(count) * kDatabasePageBytes));
    }));
    Bytes whole(copy_.size());
    REQUIRE(image.Read(0, whole));
    REQUIRE((copy_ == whole));  // and not printed
    return taken;
  }

  void Execute(const std::string& sql) { REQUIRE(database_.Execute(sql.c_str())); }
  // As the rewriting of keys.db does.
  void Reopen() {
    held_.reset();
    database_ = Database();
    auto opened = Database::Open(path_, key_, {.cache_kib = 64});
    REQUIRE(opened);
    database_ = *std::move(opened);
    wal_->Follow();
  }

 private:
  PageImage Image() {
    auto reader = Database::Open(path_, key_, {.read_only = true});
    REQUIRE(reader);
    auto image = PageImage::Take(*std::move(reader));
    REQUIRE(image);
    return *std::move(image);
  }

  testing::TemporaryDirectory work_;
  const std::string path_ = work_ / "a.db";
  crypto::SecretBytes key_ = NewKey();
  Database database_;
  std::optional<WriteAheadLog> wal_;
  std::optional<PageImage> held_;
  Bytes copy_;
};

TEST_CASE("a copy to which the changed pages are added is the database, whatever happened to it") {
  for (unsigned seed = 1; seed <= testing::Many(5U, 2U); ++seed) {
    INFO("seed " << seed);
    std::mt19937 chance(seed);
    Followed database;
    for (int i = 0; i < 120; ++i) {
      database.Happen(chance);
      if (chance() % 4 == 0) database.Follow();
      if (chance() % 40 == 0) database.Reopen();
    }
    database.Follow();
  }
}

TEST_CASE("everything counts as changed at first and by another connection, and then little") {
  Followed database;
  for (int i = 0; i < 300; ++i)
    database.Execute("INSERT INTO t (content) VALUES (randomblob(900))");
  CHECK(database.Follow() > 60);
  CHECK(database.Follow() == 0);
  database.Execute("UPDATE t SET content = randomblob(900) WHERE id = 7");
  const auto few = database.Follow();
  CHECK(few > 0);
  CHECK(few < 4);
  database.Reopen();
  CHECK(database.Follow() > 60);
}

}  // namespace
}  // namespace coffer::vault
