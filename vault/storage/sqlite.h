// RAII over SQLCipher. The only place that knows SQLite's C interface; every return code is
// checked.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"
#include "vault/storage/sql_value.h"

namespace coffer::vault {

// Code from an SQLite result: full disks, I/O and what another connection holds ("storage_busy")
// are kUnavailable, damage is kCorrupted, broken constraints are kConflict. The detail names the
// database's file; `doing` may be empty.
Error SqliteError(sqlite3* database, int code, std::string_view doing);

// True for codes after which no commit may be trusted: a failed fsync (the kernel may have dropped
// the dirty pages and report success next time).
bool IsFsyncFailure(int extended_code);

// Another connection, of whatever program, holds what is wanted: nothing failed, and the same may
// be tried again.
bool IsBusy(const Error& error);

namespace internal {

struct Connection;

// A statement of a connection, which may be exchanged under it; `sql` while there is none.
struct Prepared {
  Prepared() = default;
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared();

  sqlite3_stmt* handle = nullptr;
  Connection* connection = nullptr;  // null once it is closed
  bool follows = false;              // the connection does
  std::string sql;
  Prepared *before = nullptr, *after = nullptr;  // of the same connection
};

}  // namespace internal

// The file and what SQLite keeps beside it; fine when there is none. Precondition: nobody has it
// open. Errors: kUnavailable "file_not_removed".
Status RemoveDatabase(const std::string& path);

class Database {
 public:
  static constexpr int kPatienceMs = 2000;
  struct Options {
    bool read_only = false;
    bool create = false;
    int cache_kib = 2048;
  };
  // Opens with a raw 32-byte key, proves the key by reading the schema, asserts SQLCipher 4 and
  // sets what architecture asks for (WAL, synchronous=FULL, temp_store=MEMORY, secure_delete, ...).
  // Errors: kNotFound "database_missing", kCorrupted "database_unreadable" (wrong key or damage),
  // kCorrupted "database_plaintext", kUnavailable, kInternal "sqlcipher_missing".
  static Result<Database> Open(const std::string& path, const crypto::SecretBytes& key,
                               const Options& options);

  sqlite3* handle() const;  // null when there is none
  bool InTransaction() const { return sqlite3_get_autocommit(handle()) == 0; }
  const std::string& path() const { return path_; }
  Status Execute(const char* sql);  // constant SQL without parameters; may be several statements
  // After each commit of this connection *frames is how many the WAL has; null ends that. Whether
  // it is told from now on and was not before.
  bool FollowWal(int* frames);
  // Of each row that a statement of this connection changes, but for those that REPLACE removes,
  // and also where it is rolled back later. An empty function ends that.
  using OnRowChange =
      std::function<void(RowChange change, std::string_view table, std::int64_t row)>;
  void FollowRows(OnRowChange on_change);
  // A function of this connection's SQL, of any number of values and without a result. It may be
  // out of memory, and throw nothing else. An empty one takes the name back.
  using SqlFunction = std::function<void(SqlValues values)>;
  Status DefineFunction(const std::string& name, SqlFunction function);
  // Called before each checkpoint of this connection, that is before the WAL may be begun anew. An
  // empty function ends that.
  void BeforeCheckpoint(std::function<void()> tell);

  // Closes the connection; what was prepared on it, its functions and followed rows wait for
  // Resume, which goes on with `other` in its place. What follows the WAL does not, and temporary
  // triggers are gone. Preconditions: no transaction and no cursor; nothing is prepared on `other`.
  // Errors: those of SqliteError, after which Resume can be called again.
  void Suspend();
  Status Resume(Database other);
  // From now on what begins to read asks whether the connection is `outdated`, and goes on with
  // another where it is. While none can be opened it fails as what another connection holds.
  void Follow(std::function<bool()> outdated, std::function<Result<Database>()> open);
  // Where it is outdated now, without reading anything: the file of before has no name any more,
  // and takes its room until the last connection goes. Fine in a transaction, which goes on.
  void FollowNow();

  // Frames in the WAL and how many of them are in the database file afterwards.
  struct WalState {
    int frames = 0;
    int checkpointed = 0;
  };
  // One that truncates waits for readers, so long as the connection is patient. Errors: those of
  // SqliteError; kUnavailable "storage_busy" when they do not end.
  Result<WalState> Checkpoint(bool truncate);
  // Everything into the database file, and the WAL emptied. Waits for nobody: false where a reader
  // or another writer is in the way.
  Result<bool> TruncateWal();
  // SQLCipher's look at every page of the file against its HMAC, beside a running writer: what is
  // wrong, a line each. What the WAL holds, newer than the file, is not looked at.
  Result<std::vector<std::string>> CheckPages();
  // The file's length, and bytes of it as they stand there, which are ciphertext. By the
  // connection's own descriptor: to close another one would take SQLite's locks of this file away
  // from the whole process. Errors: those of SqliteError; kCorrupted "file_too_short".
  Result<std::uint64_t> FileBytes() const;
  Status ReadFileBytes(std::uint64_t at, std::span<std::uint8_t> out) const;
  // For so long a statement waits for another connection, kPatienceMs unless told otherwise.
  void SetPatience(int ms) { sqlite3_busy_timeout(handle(), ms); }
  int ExtendedError() const { return sqlite3_extended_errcode(handle()); }

 private:
  friend class Statement;
  friend struct internal::Connection;
  struct Close {
    void operator()(internal::Connection* connection) const;
  };
  std::unique_ptr<internal::Connection, Close> connection_;
  std::string path_;
};

// One execution of a prepared statement; resets it when it goes out of scope. Bound text and blobs
// are not copied: they must outlive the cursor.
class Cursor {
 public:
  Cursor(internal::Prepared& prepared, int bind_error) : prepared_(&prepared), code_(bind_error) {}
  Cursor(Cursor&& other) noexcept
      : prepared_(std::exchange(other.prepared_, nullptr)), code_(other.code_) {}
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor() {
    if (prepared_ != nullptr) sqlite3_reset(prepared_->handle);
  }

  Result<bool> Next();  // false at the end

  std::int64_t Int(int column) const { return sqlite3_column_int64(handle(), column); }
  bool IsNull(int column) const { return sqlite3_column_type(handle(), column) == SQLITE_NULL; }
  // Valid until Next() or the end of the cursor.
  ByteView Blob(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle(), column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle(), column))};
  }
  std::string_view Text(int column) const { return crypto::AsText(Blob(column)); }

 private:
  friend class Statement;
  sqlite3_stmt* handle() const { return prepared_->handle; }
  internal::Prepared* prepared_;
  int code_;
};

class Statement {
 public:
  static Result<Statement> Prepare(const Database& database, std::string_view sql);

  template <class... Args>
  Cursor Query(const Args&... args) {
    [[maybe_unused]] int index = 0;
    int error = prepared_->follows ? FollowExchange() : SQLITE_OK;
    [[maybe_unused]] const auto bind = [&](const auto& value) {
      const int code = Bind(++index, value);
      if (code != SQLITE_OK) error = code;
    };
    (bind(args), ...);
    return Cursor(*prepared_, error);
  }

  template <class... Args>
  Status Execute(const Args&... args) {
    auto cursor = Query(args...);
    auto stepped = cursor.Next();
    if (!stepped) return std::unexpected(std::move(stepped).error());
    return {};
  }
  // The row's columns, whatever their types, as the first parameters.
  Status ExecuteWithRow(const Cursor& row);

 private:
  int FollowExchange();
  int Bind(int index, std::int64_t value) {
    return sqlite3_bind_int64(prepared_->handle, index, value);
  }
  int Bind(int index, std::uint64_t value) { return Bind(index, static_cast<std::int64_t>(value)); }
  int Bind(int index, int value) { return Bind(index, static_cast<std::int64_t>(value)); }
  template <class T>
  int Bind(int index, const std::optional<T>& value) {
    return value ? Bind(index, *value) : sqlite3_bind_null(prepared_->handle, index);
  }
  int Bind(int index, std::string_view value) {
    return sqlite3_bind_text64(prepared_->handle, index,
                               value.data() == nullptr ? "" : value.data(), value.size(),
                               SQLITE_STATIC, SQLITE_UTF8);
  }
  int Bind(int index, ByteView value) {
    return sqlite3_bind_blob64(prepared_->handle, index,
                               value.empty() ? static_cast<const void*>("") : value.data(),
                               value.size(), SQLITE_STATIC);
  }

  std::unique_ptr<internal::Prepared> prepared_;
};

// BEGIN; rolls back when it goes out of scope without Commit().
class DatabaseTransaction {
 public:
  static Result<DatabaseTransaction> Begin(Database& database);
  DatabaseTransaction(DatabaseTransaction&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)) {}
  DatabaseTransaction(const DatabaseTransaction&) = delete;
  DatabaseTransaction& operator=(const DatabaseTransaction&) = delete;
  DatabaseTransaction& operator=(DatabaseTransaction&&) = delete;
  ~DatabaseTransaction();
  Status Commit();

 private:
  explicit DatabaseTransaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace coffer::vault
