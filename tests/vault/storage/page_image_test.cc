// One state of a database's file, whatever its write-ahead log is doing: written out, it is a
// database of that state.
#include "vault/storage/page_image.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <optional>
#include <string>

#include "crypto/random.h"
#include "tests/support/open_vault.h"
#include "tests/support/temporary_directory.h"

namespace coffer::vault {
namespace {

crypto::SecretBytes RandomKey() {
  REQUIRE(crypto::InitializeCrypto());
  crypto::SecretBytes key(32);
  crypto::FillRandom(key.ExposeSecretForWriting());
  return key;
}

class Imaged {
 public:
  Imaged() {
    writer.emplace(Opened({.create = true, .cache_kib = 64}));
    Execute("CREATE TABLE t (id INTEGER PRIMARY KEY, content BLOB)");
  }

  std::string path() const { return work_ / "a.db"; }
  Database Opened(const Database::Options& options) {
    auto database = Database::Open(path(), key_, options);
    REQUIRE(database);
    return *std::move(database);
  }
  void Execute(const std::string& sql) { REQUIRE(writer->Execute(sql.c_str())); }
  void Insert(int rows, int bytes = 600) {
    Execute("BEGIN IMMEDIATE");
    Execute(
        "INSERT INTO t (content) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < " +
        std::to_string(rows) + ") SELECT randomblob(" + std::to_string(bytes) + ") FROM n");
    Execute("COMMIT");
  }
  PageImage Take() {
    auto image = PageImage::Take(Opened({.read_only = true}));
    REQUIRE(image);
    return *std::move(image);
  }

  // Of the database that the image is: its rows, when it is whole.
  std::int64_t RowsOf(const PageImage& image) {
    const std::string copy = work_ / "copy.db";
    Bytes bytes(static_cast<std::size_t>(image.pages()) * PageImage::kPageBytes);
    // In two pieces, so that a run begins in the middle.
    const std::size_t middle = static_cast<std::size_t>(image.pages() / 3) * PageImage::kPageBytes;
    REQUIRE(image.Read(0, std::span(bytes).first(middle)));
    REQUIRE(image.Read(image.pages() / 3, std::span(bytes).subspan(middle)));
    std::ofstream(copy, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    auto database = Database::Open(copy, key_, {});
    INFO(testing::AnswerOf(database));
    REQUIRE(database);
    CHECK(database->CheckPages() == std::vector<std::string>{});
    auto check = Statement::Prepare(*database, "PRAGMA integrity_check");
    REQUIRE(check);
    auto row = check->Query();
    REQUIRE(row.Next() == true);
    CHECK(row.Text(0) == "ok");
    auto count = Statement::Prepare(*database, "SELECT count(*) FROM t");
    REQUIRE(count);
    auto found = count->Query();
    REQUIRE(found.Next() == true);
    return found.Int(0);
  }

  std::optional<Database> writer;

 private:
  testing::TemporaryDirectory work_;
  crypto::SecretBytes key_ = RandomKey();
};

TEST_CASE("an image of a log that was never copied, was copied in part, and was copied whole") {
  Imaged at;
  at.Insert(50);
  CHECK(at.RowsOf(at.Take()) == 50);
  REQUIRE(at.writer->Checkpoint(false));
  CHECK(at.RowsOf(at.Take()) == 50);
  at.Insert(30);
  {
    const PageImage held = at.Take();  // so that the rest is not copied
    at.Insert(20);
    REQUIRE(at.writer->Checkpoint(false));
    at.Insert(10);
    CHECK(at.RowsOf(at.Take()) == 110);
    CHECK(at.RowsOf(held) == 80);
  }
  CHECK(at.RowsOf(at.Take()) == 110);
}

TEST_CASE("an image stays what it was while the log is copied, begun anew and emptied") {
  Imaged at;
  at.Insert(200);
  for (const bool copied : {false, true}) {
    INFO("copied before: " << copied);
    if (copied) REQUIRE(at.writer->Checkpoint(true));
    const PageImage image = at.Take();
    const std::int64_t rows = at.RowsOf(image);
    for (int i = 0; i < 20; ++i) {
      at.Insert(100);
      at.Execute("DELETE FROM t WHERE id % 3 = " + std::to_string(i % 3));
      REQUIRE(at.writer->Checkpoint(false));
    }
    CHECK(at.writer->TruncateWal() == false);
    CHECK(at.RowsOf(image) == rows);
  }
}

TEST_CASE("an image has nothing of what is not committed, spilled or taken back") {
  Imaged at;
  at.Insert(10);
  at.Execute("BEGIN IMMEDIATE");
  // More than the cache holds.
  at.Execute(
      "INSERT INTO t (content) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 3000) SELECT randomblob(600) FROM n");
  CHECK(at.RowsOf(at.Take()) == 10);
  at.Execute("ROLLBACK");
  CHECK(at.RowsOf(at.Take()) == 10);
  at.Insert(1);
  CHECK(at.RowsOf(at.Take()) == 11);
}

TEST_CASE("an image of a database that became smaller") {
  Imaged at;
  at.Insert(2000);
  REQUIRE(at.writer->Checkpoint(true));
  at.Execute("DELETE FROM t WHERE id > 5");
  at.Execute("VACUUM");
  const PageImage image = at.Take();
  CHECK(image.pages() < 20);
  CHECK(at.RowsOf(image) == 5);
  REQUIRE(at.writer->Checkpoint(false));
  at.Insert(500);
  CHECK(at.RowsOf(image) == 5);
}

TEST_CASE("a log that is too long to be read at once is no image") {
  Imaged at;
  const Database reader = at.Opened({.read_only = true});
  REQUIRE(reader.handle() != nullptr);
  Database long_reader = at.Opened({.read_only = true});
  REQUIRE(long_reader.Execute("BEGIN; SELECT count(*) FROM sqlite_schema"));
  for (int i = 0; i < 14; ++i) at.Insert(1000, 3600);
  auto image = PageImage::Take(at.Opened({.read_only = true}));
  CHECK(testing::AnswerOf(image) == "wal_too_long");
}

}  // namespace
}  // namespace coffer::vault
