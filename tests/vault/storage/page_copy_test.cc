// A database copied under another key while it is written to, and connections that go on with it.
#include "vault/storage/page_copy.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>

#include "tests/support/open_vault.h"
#include "tests/support/temporary_directory.h"

namespace coffer::vault {
namespace {

using testing::AnswerOf;

class Copied {
 public:
  Copied() {
    REQUIRE(crypto::InitializeCrypto());
    key = crypto::SecretBytes::Random(32);
    next_key = crypto::SecretBytes::Random(32);
    source = Open(path(), key);
    Do("CREATE TABLE t (id INTEGER PRIMARY KEY, content BLOB)");
    Insert(2000);
  }
  std::string path() const { return work / "a.db"; }
  std::string next() const { return work / "a.db.next"; }
  static Database Open(const std::string& path, const crypto::SecretBytes& key) {
    auto database = Database::Open(path, key, {.create = true, .cache_kib = 64});
    INFO(AnswerOf(database));
    REQUIRE(database);
    return *std::move(database);
  }
  void Do(const std::string& sql) {
    const auto done = source.Execute(sql.c_str());
    INFO(AnswerOf(done) << " " << sql);
    REQUIRE(done);
  }
  void Insert(int rows) {
    Do("INSERT INTO t (content) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
       "WHERE i < " +
       std::to_string(rows) + ") SELECT randomblob(700) FROM n");
  }
  PageCopy Begin() {
    auto copy = PageCopy::Begin(source, next(), next_key);
    INFO(AnswerOf(copy));
    REQUIRE(copy);
    return *std::move(copy);
  }
  // Of all rows, in their order.
  static std::string Content(const Database& database) {
    auto select = Statement::Prepare(database, "SELECT id, hex(content) FROM t ORDER BY id");
    REQUIRE(select);
    auto rows = select->Query();
    std::string content;
    while (*rows.Next()) content += std::to_string(rows.Int(0)) + std::string(rows.Text(1));
    return content;
  }
  void CheckSame() {
    Database copy = Open(next(), next_key);
    CHECK(Content(copy) == Content(source));
    auto check = Statement::Prepare(copy, "PRAGMA integrity_check");
    REQUIRE(check);
    auto row = check->Query();
    REQUIRE(row.Next() == true);
    CHECK(row.Text(0) == "ok");
    CHECK(copy.CheckPages() == std::vector<std::string>{});
    CHECK(AnswerOf(Database::Open(next(), key, {})) == "database_unreadable");
  }

  testing::TemporaryDirectory work;
  crypto::SecretBytes key, next_key;
  Database source;
};

}  // namespace

TEST_CASE("a copy has what is committed while it is made, wherever the pages are") {
  Copied copied;
  auto copy = copied.Begin();
  for (int step = 0;; ++step) {
    const auto more = copy.Step(7);
    REQUIRE(more);
    if (!*more) break;
    CHECK(copy.left() < copy.total());
    // At the start, which was copied, at the end, and what grows and goes.
    if (step % 5 == 0 && step < 60) {
      copied.Do("UPDATE t SET content = randomblob(700) WHERE id % 97 = " + std::to_string(step));
      copied.Insert(3);
      copied.Do("DELETE FROM t WHERE id % 89 = " + std::to_string(step));
    }
    if (step % 20 == 3) {
      copied.Do("BEGIN; SAVEPOINT s; DELETE FROM t WHERE id > 50; ROLLBACK TO s; RELEASE s");
      copied.Insert(1);
      copied.Do("COMMIT");
    }
    if (step % 15 == 4) REQUIRE(copied.source.Checkpoint(false));
    if (step % 15 == 9) REQUIRE(copied.source.TruncateWal() == true);
  }
  REQUIRE(copy.Close());
  CHECK_FALSE(std::filesystem::exists(copied.next() + "-wal"));
  copied.CheckSame();
}

TEST_CASE("a transaction that is rolled back begins a copy anew, and it is whole") {
  Copied copied;
  auto copy = copied.Begin();
  for (int i = 0; i < 20; ++i) REQUIRE(copy.Step(7));
  const auto left = copy.left();
  copied.Do("BEGIN");
  copied.Insert(500);
  copied.Do("ROLLBACK");
  REQUIRE(copy.Step(1));
  CHECK(copy.left() > left);
  CHECK(copy.Step(-1) == false);
  REQUIRE(copy.Close());
  copied.CheckSame();
}

TEST_CASE("a connection that is suspended goes on with another, with all that was prepared on it") {
  Copied copied;
  auto count = Statement::Prepare(copied.source, "SELECT count(*) FROM t WHERE id > ?");
  auto insert = Statement::Prepare(copied.source, "INSERT INTO t (content) VALUES (seen(?))");
  REQUIRE(count);
  CHECK_FALSE(insert);  // no such function yet
  int seen = 0, rows = 0;
  REQUIRE(copied.source.DefineFunction("seen", [&](SqlValues) { ++seen; }));
  copied.source.FollowRows([&](RowChange, std::string_view, std::int64_t) { ++rows; });
  insert = Statement::Prepare(copied.source, "INSERT INTO t (content) VALUES (seen(?))");
  REQUIRE(insert);
  {
    auto gone = Statement::Prepare(copied.source, "SELECT 1");
    REQUIRE(gone);
  }
  auto copy = copied.Begin();
  REQUIRE(copy.Step(-1) == false);
  REQUIRE(copy.Close());
  copied.source.Suspend();
  copied.source.Suspend();
  // Without a database nothing is done, and said so.
  CHECK(AnswerOf(insert->Execute(1)) != "ok");
  REQUIRE(copied.source.Resume(Copied::Open(copied.next(), copied.next_key)));
  REQUIRE(insert->Execute(2));
  CHECK((seen == 1 && rows == 1));
  auto row = count->Query(0);
  REQUIRE(row.Next() == true);
  CHECK(row.Int(0) == 2001);
}

TEST_CASE("a connection follows an exchange where it begins to read, and not before") {
  Copied copied;
  Database reader = Copied::Open(copied.path(), copied.key);
  auto count = Statement::Prepare(reader, "SELECT count(*) FROM t");
  REQUIRE(count);
  bool outdated = false, there = false;
  int opened = 0;
  reader.Follow([&] { return outdated; },
                [&]() -> Result<Database> {
                  ++opened;
                  if (!there) return Fail(Code::kUnavailable, "storage_busy");
                  outdated = false;
                  return Copied::Open(copied.next(), copied.next_key);
                });
  const auto rows = [&]() -> std::int64_t {
    auto row = count->Query();
    const auto found = row.Next();
    INFO(AnswerOf(found));
    return found == true ? row.Int(0) : -1;
  };
  auto copy = copied.Begin();
  REQUIRE(copy.Step(-1) == false);
  REQUIRE(copy.Close());
  copied.Insert(5);  // in the old one alone
  CHECK(rows() == 2005);

  REQUIRE(reader.Execute("BEGIN"));
  CHECK(rows() == 2005);
  outdated = true;
  CHECK(rows() == 2005);
  auto other = Statement::Prepare(reader, "SELECT id FROM t ORDER BY id");
  REQUIRE(other);
  REQUIRE(reader.Execute("COMMIT"));
  CHECK(opened == 0);
  // Not to be opened for now: it is asked for again.
  CHECK(rows() == -1);
  CHECK(rows() == -1);
  CHECK(opened == 2);
  there = true;
  {
    auto row = other->Query();
    REQUIRE(row.Next() == true);
    outdated = true;  // while that is read
    CHECK(rows() == 2000);
    CHECK(opened == 3);
    REQUIRE(row.Next() == true);
  }
  CHECK(rows() == 2000);
  CHECK(opened == 4);
  // Before a transaction too.
  outdated = true;
  REQUIRE(reader.Execute("BEGIN"));
  CHECK(opened == 5);
  CHECK(rows() == 2000);
  REQUIRE(reader.Execute("COMMIT"));
}

}  // namespace coffer::vault
