#include "vault/storage/sqlite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "tests/support/open_vault.h"
#include "tests/support/temporary_directory.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using crypto::SecretBytes;
using testing::AnswerOf;
using testing::TemporaryDirectory;

class TestDatabase {
 public:
  TestDatabase() {
    REQUIRE(crypto::InitializeCrypto());
    key = SecretBytes::Random(32);
  }
  Result<Database> TryOpen(const Database::Options& options = {.create = true}) {
    return Database::Open(path(), key, options);
  }
  Database Open(const Database::Options& options = {.create = true}) {
    auto database = TryOpen(options);
    INFO(AnswerOf(database));
    REQUIRE(database);
    return *std::move(database);
  }
  std::string path() const { return work / "test.db"; }
  std::string Content() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Overwrite(const std::string& content) const {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << content;
  }

  TemporaryDirectory work;
  SecretBytes key;
};

std::string TextOf(const Database& database, std::string_view sql) {
  auto statement = Statement::Prepare(database, sql);
  REQUIRE(statement);
  auto row = statement->Query();
  REQUIRE(row.Next() == true);
  return std::string(row.Text(0));
}

std::int64_t NumberOf(const Database& database, std::string_view sql) {
  auto statement = Statement::Prepare(database, sql);
  REQUIRE(statement);
  auto row = statement->Query();
  REQUIRE(row.Next() == true);
  return row.Int(0);
}

TEST_CASE("a database is opened with every setting that the design asks for") {
  TestDatabase test;
  const Database database = test.Open();
  CHECK(TextOf(database, "PRAGMA cipher_version").starts_with("4."));
  CHECK(TextOf(database, "PRAGMA journal_mode") == "wal");
  CHECK(NumberOf(database, "PRAGMA synchronous") == 2);  // FULL
  CHECK(NumberOf(database, "PRAGMA temp_store") == 2);   // memory: no plaintext in /tmp
  CHECK(NumberOf(database, "PRAGMA secure_delete") == 1);
  CHECK(NumberOf(database, "PRAGMA foreign_keys") == 1);
  CHECK(NumberOf(database, "PRAGMA wal_autocheckpoint") == 0);
  CHECK(NumberOf(database, "PRAGMA trusted_schema") == 0);
  CHECK(NumberOf(database, "PRAGMA query_only") == 0);
  CHECK(NumberOf(database, "PRAGMA cache_size") == -2048);
  CHECK(NumberOf(test.Open({.cache_kib = 77}), "PRAGMA cache_size") == -77);
}

TEST_CASE("a read-only connection keeps temporary tables in memory and cannot write") {
  TestDatabase test;
  auto writer = test.Open();
  REQUIRE(writer.Execute("CREATE TABLE t (x INTEGER)"));
  auto reader = test.Open({.read_only = true});
  CHECK(NumberOf(reader, "PRAGMA temp_store") == 2);
  CHECK(NumberOf(reader, "PRAGMA query_only") == 1);
  CHECK(AnswerOf(reader.Execute("INSERT INTO t VALUES (1)")) == "storage_unavailable");
  REQUIRE(writer.Execute("INSERT INTO t VALUES (1)"));
  CHECK(NumberOf(reader, "SELECT count(*) FROM t") == 1);
}

TEST_CASE("the file and what stands beside it are for their owner alone, and never plaintext") {
  TestDatabase test;
  {
    auto database = test.Open();
    REQUIRE(database.Execute("CREATE TABLE sentinel_name (x TEXT)"));
  }
  auto database = test.Open({});
  REQUIRE(database.Execute("INSERT INTO sentinel_name VALUES ('sentinel value')"));
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(test.work.path())) {
    INFO(entry.path().string());
    struct stat status{};
    REQUIRE(stat(entry.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    CHECK(content.find("sentinel") == std::string::npos);
    CHECK(content.find("SQLite format 3") == std::string::npos);
    ++files;
  }
  CHECK(files == 3);  // with -wal and -shm
}

TEST_CASE("a missing database is not made by accident") {
  TestDatabase test;
  CHECK(AnswerOf(test.TryOpen({})) == "database_missing");
  CHECK(AnswerOf(test.TryOpen({.read_only = true})) == "database_missing");
  CHECK(!fs::exists(test.path()));
}

TEST_CASE("another key does not open a database, and does it no harm") {
  TestDatabase test;
  REQUIRE(test.Open().Execute("CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (42)"));
  const SecretBytes right = test.key.Clone();
  test.key = SecretBytes::Random(32);
  const auto wrong = test.TryOpen({});
  REQUIRE(!wrong);
  CHECK(wrong.error().code == Code::kCorrupted);
  CHECK(wrong.error().reason == "database_unreadable");
  CHECK(wrong.error().detail.find(test.path()) != std::string::npos);
  test.key = right.Clone();
  CHECK(NumberOf(test.Open({}), "SELECT x FROM t") == 42);
}

TEST_CASE("a key of another size is refused before it becomes a passphrase") {
  TestDatabase test;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{16}, std::size_t{31}, std::size_t{33}}) {
    test.key = SecretBytes(size);
    CHECK(AnswerOf(test.TryOpen()) == "database_key_size");
  }
}

TEST_CASE("a plaintext SQLite database is refused, however good it is") {
  TestDatabase test;
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open(test.path().c_str(), &raw) == SQLITE_OK);
  REQUIRE(sqlite3_exec(raw, "CREATE TABLE t (x)", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(raw);
  const std::string before = test.Content();
  for (const bool create : {false, true}) {
    const auto opened = test.TryOpen({.create = create});
    REQUIRE(!opened);
    CHECK(opened.error().code == Code::kCorrupted);
    CHECK(opened.error().reason == "database_plaintext");
  }
  CHECK(test.Content() == before);
}

TEST_CASE("a damaged or cut database is told apart from a missing one") {
  TestDatabase test;
  REQUIRE(test.Open().Execute("CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (42)"));
  const std::string whole = test.Content();
  REQUIRE(whole.size() == 8192);
  for (const std::size_t at : {std::size_t{0}, std::size_t{100}, std::size_t{4000}}) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    test.Overwrite(flipped);
    CHECK(AnswerOf(test.TryOpen({})) == "database_unreadable");
  }
  test.Overwrite(whole.substr(0, 1000));
  CHECK(AnswerOf(test.TryOpen({})) == "database_unreadable");
  test.Overwrite("not a database, and much too short");
  CHECK(AnswerOf(test.TryOpen({})) == "database_unreadable");
}

TEST_CASE("damage behind the first page shows when that page is read") {
  TestDatabase test;
  REQUIRE(test.Open().Execute("CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (42)"));
  std::string flipped = test.Content();
  flipped[6000] = static_cast<char>(flipped[6000] ^ 1);
  test.Overwrite(flipped);
  const Database database = test.Open({});
  auto statement = Statement::Prepare(database, "SELECT x FROM t");
  REQUIRE(statement);
  auto row = statement->Query();
  const auto read = row.Next();
  REQUIRE(!read);
  CHECK(read.error().code == Code::kCorrupted);
}

TEST_CASE("SQLCipher writes nothing of its own to the server's log") {
  TestDatabase test;
  {
    const Database database = test.Open();
  }
  test.key = SecretBytes::Random(32);
  const int kept = dup(STDERR_FILENO);
  const int caught = open((test.work / "stderr").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  dup2(caught, STDERR_FILENO);
  const auto wrong = test.TryOpen({});
  dup2(kept, STDERR_FILENO);
  close(kept);
  close(caught);
  CHECK(!wrong);
  CHECK(fs::file_size(test.work / "stderr") == 0);
}

TEST_CASE("a path that cannot be opened is unavailable, and a link is not followed") {
  TestDatabase test;
  const auto nowhere = Database::Open(test.work / "none/test.db", test.key, {.create = true});
  REQUIRE(!nowhere);
  CHECK(nowhere.error().code == Code::kUnavailable);
  REQUIRE(test.Open().Execute("CREATE TABLE t (x)"));
  fs::create_symlink(test.path(), test.work / "link.db");
  CHECK(!Database::Open(test.work / "link.db", test.key, {}));
}

TEST_CASE("values are stored and read as they were bound") {
  TestDatabase test;
  auto database = test.Open();
  REQUIRE(database.Execute("CREATE TABLE t (a INTEGER, b TEXT, c BLOB, d BLOB, e INTEGER) STRICT"));
  auto insert = Statement::Prepare(database, "INSERT INTO t VALUES (?, ?, ?, ?, ?)");
  REQUIRE(insert);
  const Bytes bytes = {0, 255, 0, 39};
  const std::string text("it's\0\"text\"", 11);
  REQUIRE(insert->Execute(std::int64_t{-5}, std::string_view(text), ByteView(bytes),
                          std::optional<ByteView>(), std::uint64_t{1} << 62));
  // Empty is not NULL.
  REQUIRE(
      insert->Execute(1, std::string_view(), ByteView(), std::optional<ByteView>(ByteView()), 0));
  auto select = Statement::Prepare(database, "SELECT a, b, c, d, e FROM t ORDER BY rowid");
  REQUIRE(select);
  auto row = select->Query();
  REQUIRE(row.Next() == true);
  CHECK(row.Int(0) == -5);
  CHECK(row.Text(1) == text);
  CHECK(std::ranges::equal(row.Blob(2), bytes));
  CHECK(row.IsNull(3));
  CHECK(row.Int(4) == std::int64_t{1} << 62);
  REQUIRE(row.Next() == true);
  for (int column = 1; column < 4; ++column) {
    CHECK(!row.IsNull(column));
    CHECK(row.Blob(column).empty());
  }
  CHECK(row.Next() == false);
}

TEST_CASE("a cursor that goes away lets its statement and the database go") {
  TestDatabase test;
  auto database = test.Open();
  REQUIRE(database.Execute("CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (1), (2)"));
  auto select = Statement::Prepare(database, "SELECT x FROM t WHERE x >= ?");
  REQUIRE(select);
  {
    auto row = select->Query(1);
    REQUIRE(row.Next() == true);
  }
  REQUIRE(database.Checkpoint(true));  // would be busy
  auto row = select->Query(2);
  REQUIRE(row.Next() == true);
  CHECK(row.Int(0) == 2);
}

TEST_CASE("each failure of SQLite has the code that its answer derives from") {
  const auto code_of = [](int code) { return SqliteError(nullptr, code, "doing"); };
  CHECK(code_of(SQLITE_FULL).reason == "storage_full");
  for (const int code :
       {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_READONLY, SQLITE_BUSY,
        SQLITE_BUSY_SNAPSHOT, SQLITE_LOCKED, SQLITE_CANTOPEN, SQLITE_NOMEM, SQLITE_IOERR_NOMEM}) {
    INFO(code);
    CHECK(code_of(code).code == Code::kUnavailable);
  }
  for (const int code : {SQLITE_CORRUPT, SQLITE_CORRUPT_INDEX, SQLITE_NOTADB}) {
    CHECK(code_of(code).code == Code::kCorrupted);
    CHECK(code_of(code).reason == "storage_corrupted");
  }
  CHECK(code_of(SQLITE_CONSTRAINT_UNIQUE).code == Code::kConflict);
  CHECK(code_of(SQLITE_ERROR).code == Code::kInternal);
  CHECK(code_of(SQLITE_MISUSE).code == Code::kInternal);
  CHECK(code_of(SQLITE_FULL).detail.starts_with("doing: "));
}

TEST_CASE("only a failed sync is taken for one") {
  for (const int code : {SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_CLOSE}) {
    CHECK(IsFsyncFailure(code));
  }
  for (const int code : {SQLITE_OK, SQLITE_FULL, SQLITE_IOERR, SQLITE_IOERR_WRITE, SQLITE_BUSY}) {
    CHECK(!IsFsyncFailure(code));
  }
}

TEST_CASE("a transaction that is not committed never was") {
  TestDatabase test;
  auto database = test.Open();
  REQUIRE(database.Execute("CREATE TABLE t (x INTEGER UNIQUE)"));
  {
    auto transaction = DatabaseTransaction::Begin(database);
    REQUIRE(transaction);
    REQUIRE(database.Execute("INSERT INTO t VALUES (1)"));
  }
  CHECK(NumberOf(database, "SELECT count(*) FROM t") == 0);
  {
    auto transaction = DatabaseTransaction::Begin(database);
    REQUIRE(transaction);
    REQUIRE(database.Execute("INSERT INTO t VALUES (1)"));
    DatabaseTransaction moved = *std::move(transaction);
    REQUIRE(moved.Commit());
  }
  CHECK(NumberOf(database, "SELECT count(*) FROM t") == 1);
  CHECK(AnswerOf(database.Execute("INSERT INTO t VALUES (1)")) == "conflict");
  CHECK(sqlite3_get_autocommit(database.handle()) != 0);
}

TEST_CASE("a checkpoint tells how far it came, and a reader holds it up") {
  TestDatabase test;
  auto writer = test.Open();
  REQUIRE(writer.Execute("CREATE TABLE t (x TEXT)"));
  auto reader = test.Open({.read_only = true});
  REQUIRE(reader.Execute("BEGIN"));
  CHECK(NumberOf(reader, "SELECT count(*) FROM t") == 0);
  REQUIRE(writer.Execute("INSERT INTO t VALUES (hex(randomblob(9000)))"));
  auto state = writer.Checkpoint(false);
  REQUIRE(state);
  CHECK(state->frames > 0);
  CHECK(state->checkpointed < state->frames);
  CHECK(NumberOf(reader, "SELECT count(*) FROM t") == 0);  // still its snapshot
  REQUIRE(reader.Execute("COMMIT"));
  state = writer.Checkpoint(false);
  REQUIRE(state);
  CHECK(state->checkpointed == state->frames);
  REQUIRE(writer.Checkpoint(true));
  CHECK(fs::file_size(test.path() + "-wal") == 0);
}

TEST_CASE("a page that is in the WAL and not yet in the file is no damage") {
  TestDatabase test;
  auto writer = test.Open();
  REQUIRE(
      writer.Execute("CREATE TABLE a (x BLOB); CREATE TABLE b (x BLOB);"
                     "INSERT INTO a VALUES (randomblob(40000));"
                     "INSERT INTO b VALUES (randomblob(40000));"));
  auto reader = test.Open({.read_only = true});
  REQUIRE(reader.Execute("BEGIN"));
  CHECK(NumberOf(reader, "SELECT count(*) FROM a") == 1);
  // Behind the reader's back the first table is written again: a checkpoint gets as far as the
  // second one, and leaves a hole where the first will be.
  REQUIRE(writer.Execute("UPDATE a SET x = randomblob(40000)"));
  const auto state = writer.Checkpoint(false);
  REQUIRE(state);
  REQUIRE(state->checkpointed < state->frames);
  auto raw = Statement::Prepare(writer, "PRAGMA cipher_integrity_check");
  REQUIRE(raw);
  CHECK(raw->Query().Next() == true);
  CHECK(reader.CheckPages()->empty());
  CHECK(writer.CheckPages()->empty());
  REQUIRE(reader.Execute("COMMIT"));
  REQUIRE(writer.Checkpoint(true));
  CHECK(writer.CheckPages()->empty());
  CHECK(raw->Query().Next() == false);
}

}  // namespace
}  // namespace coffer::vault
