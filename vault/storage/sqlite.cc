#include "vault/storage/sqlite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <unordered_set>
#include <utility>

#include "crypto/encoding.h"
#include "vault/storage/page_cache.h"
#include "vault/storage/wal_format.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kBusyReason = "storage_busy";
constexpr std::string_view kPlainMagic{"SQLite format 3\0", 16};

// Before SQLite is used for the first time.
void ConfigureSqlite() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Nobody asks how much memory it uses, and to count it takes a lock each time. Where this is
    // refused nothing but time is lost.
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    InstallPageCache();
  });
}

// SQLite's own descriptor: POSIX drops all of a process's locks on a file when any descriptor of it
// is closed, also those of the connections that are open already.
Result<sqlite3_file*> FileOf(sqlite3* database) {
  sqlite3_file* file = nullptr;
  const int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code != SQLITE_OK) return std::unexpected(SqliteError(database, code, "opening"));
  return file;
}

// A key that is silently not applied leaves a plaintext database: such a file is never opened.
Status RefusePlaintext(sqlite3* database, const std::string& path) {
  COFFER_ASSIGN(sqlite3_file* const file, FileOf(database));
  std::array<char, 16> head{};
  if (file->pMethods != nullptr &&
      file->pMethods->xRead(file, head.data(), head.size(), 0) == SQLITE_OK &&
      std::string_view(head.data(), head.size()) == kPlainMagic) {
    return Fail(Code::kCorrupted, "database_plaintext",
                path + " is a plaintext SQLite database, not one of Coffer's");
  }
  return {};
}

// The statement's text says something to whoever mends a defect of ours, and to nobody else.
Error StatementError(sqlite3* database, int code, std::string_view sql) {
  Error error = SqliteError(database, code, {});
  if (error.code == Code::kInternal) error.detail.append(": ").append(sql);
  return error;
}

Result<std::string> Pragma(sqlite3* database, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(database, sql, -1, &raw, nullptr);
  if (code != SQLITE_OK) return std::unexpected(StatementError(database, code, sql));
  std::string value;
  code = sqlite3_step(raw);
  if (code == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
    if (text != nullptr) value = text;
  }
  sqlite3_finalize(raw);
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    return std::unexpected(StatementError(database, code, sql));
  }
  return value;
}

Status Expect(sqlite3* database, const char* pragma, std::string_view wanted) {
  auto value = Pragma(database, pragma);
  if (!value) return std::unexpected(value.error());
  if (*value != wanted) {
    return Fail(Code::kInternal, "sqlite_setting_refused",
                std::string(pragma) + " gave '" + *value + "'");
  }
  return {};
}

Status ApplyKey(sqlite3* database, const crypto::SecretBytes& key) {
  if (key.size() != 32) return Fail(Code::kInternal, "database_key_size");
  // SQLCipher takes a raw key as the text x'64 hex digits'; another length would silently become a
  // passphrase. The text lives in locked memory.
  crypto::SecretBytes text(67);
  auto out = text.ExposeSecretForWriting();
  static constexpr std::string_view kDigits = "0123456789abcdef";
  out[0] = 'x';
  out[1] = '\'';
  for (std::size_t i = 0; i < 32; ++i) {
    out[2 + 2 * i] = static_cast<std::uint8_t>(kDigits[key.ExposeSecret()[i] >> 4]);
    out[3 + 2 * i] = static_cast<std::uint8_t>(kDigits[key.ExposeSecret()[i] & 15]);
  }
  out[66] = '\'';
  const int code =
      sqlite3_key_v2(database, "main", text.ExposeSecret().data(), static_cast<int>(text.size()));
  if (code != SQLITE_OK) return std::unexpected(SqliteError(database, code, "applying the key"));
  return {};
}

// SQLite never writes the page of its lock bytes, the one at 1 GiB.
constexpr unsigned long kLockPage = (1UL << 30) / 4096 + 1;

// The numbers of the pages in the WAL since it was begun anew, told by the salt; its headers are
// not encrypted (https://sqlite.org/fileformat2.html#walformat). SQLite takes no locks on this
// file, so none is lost with the descriptor.
std::unordered_set<std::uint32_t> PagesInWal(const std::string& path) {
  std::unordered_set<std::uint32_t> pages;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return pages;
  std::array<std::uint8_t, kWalHeaderBytes> header{};
  std::array<std::uint8_t, kWalFrameHeaderBytes> frame{};
  const auto read = [fd](auto& out, std::size_t at) {
    return pread(fd, out.data(), out.size(), static_cast<off_t>(at)) ==
           static_cast<ssize_t>(out.size());
  };
  if (read(header, 0)) {
    for (std::size_t at = kWalHeaderBytes; read(frame, at); at += kWalFrameBytes) {
      if (std::memcmp(&header[kWalSaltsAt], &frame[kWalFrameSaltsAt], kWalSaltsBytes) != 0) break;
      pages.insert(ReadWalNumber(frame.data()));
    }
  }
  close(fd);
  return pages;
}

}  // namespace

namespace internal {

struct Connection {
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void CloseHandle() { sqlite3_close_v2(std::exchange(handle, nullptr)); }
  void Add(Prepared& prepared);
  void Remove(Prepared& prepared);
  Status Prepare(Prepared& prepared, std::string_view sql) const;
  Status Define(const std::string& name);
  void HookRows();
  void TellOfCheckpoint() const;
  void Suspend();
  Status Resume(Connection& other);
  int FollowExchange();

  // What the handle calls.
  Database::OnRowChange on_row;
  std::function<void()> before_checkpoint;
  std::map<std::string, Database::SqlFunction> functions;

  std::function<bool()> outdated;  // empty: it follows nothing
  std::function<Result<Database>()> open;
  bool suspended = false;
  Prepared* first = nullptr;
  sqlite3* handle = nullptr;
};

Connection::~Connection() {
  // They are finalized later; until then SQLite keeps what they need.
  for (Prepared* prepared = first; prepared != nullptr; prepared = prepared->after) {
    prepared->connection = nullptr;
    prepared->follows = false;
  }
  CloseHandle();
}

void Connection::Add(Prepared& prepared) {
  prepared.connection = this;
  prepared.follows = static_cast<bool>(outdated);
  prepared.after = first;
  if (first != nullptr) first->before = &prepared;
  first = &prepared;
}

void Connection::Remove(Prepared& prepared) {
  (prepared.before != nullptr ? prepared.before->after : first) = prepared.after;
  if (prepared.after != nullptr) prepared.after->before = prepared.before;
}

Prepared::~Prepared() {
  if (connection != nullptr) connection->Remove(*this);
  sqlite3_finalize(handle);
}

Status Connection::Prepare(Prepared& prepared, std::string_view sql) const {
  const int code = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared.handle, nullptr);
  if (code != SQLITE_OK) return std::unexpected(StatementError(handle, code, sql));
  return {};
}

Status Connection::Define(const std::string& name) {
  const auto call = [](sqlite3_context* context, int count, sqlite3_value** values) {
    try {
      (*static_cast<Database::SqlFunction*>(sqlite3_user_data(context)))(
          {values, static_cast<std::size_t>(count)});
    } catch (const std::bad_alloc&) {
      sqlite3_result_error_nomem(context);  // nothing is thrown through SQLite
    }
  };
  Database::SqlFunction& kept = functions[name];
  const int code =
      sqlite3_create_function_v2(handle, name.c_str(), -1, SQLITE_UTF8, kept ? &kept : nullptr,
                                 kept ? +call : nullptr, nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  return std::unexpected(SqliteError(handle, code, "defining a function"));
}

void Connection::HookRows() {
  const auto told = [](void* called, int operation, const char*, const char* table,
                       sqlite3_int64 row) {
    const RowChange change = operation == SQLITE_INSERT   ? RowChange::kInserted
                             : operation == SQLITE_DELETE ? RowChange::kDeleted
                                                          : RowChange::kUpdated;
    (*static_cast<Database::OnRowChange*>(called))(change, table, row);
  };
  sqlite3_update_hook(handle, on_row ? +told : nullptr, &on_row);
}

void Connection::TellOfCheckpoint() const {
  if (before_checkpoint) before_checkpoint();
}

void Connection::Suspend() {
  if (suspended) return;
  for (Prepared* one = first; one != nullptr; one = one->after) one->sql = sqlite3_sql(one->handle);
  suspended = true;
  for (Prepared* one = first; one != nullptr; one = one->after) {
    sqlite3_finalize(std::exchange(one->handle, nullptr));
  }
  CloseHandle();
}

Status Connection::Resume(Connection& other) {
  CloseHandle();
  handle = std::exchange(other.handle, nullptr);
  if (on_row) HookRows();
  for (const auto& [name, function] : functions) {
    if (function) COFFER_TRY(Define(name));
  }
  for (Prepared* one = first; one != nullptr; one = one->after) {
    sqlite3_finalize(std::exchange(one->handle, nullptr));
    COFFER_TRY(Prepare(*one, one->sql));
  }
  suspended = false;
  return {};
}

// An SQLite code. What is being read, or is in a transaction, goes on with what it began with.
int Connection::FollowExchange() {
  if (!outdated) return SQLITE_OK;
  if (!suspended) {
    const bool reads = sqlite3_get_autocommit(handle) == 0 ||
                       sqlite3_txn_state(handle, nullptr) != SQLITE_TXN_NONE;
    if (reads || !outdated()) return SQLITE_OK;
  }
  auto other = open();
  if (!other) return SQLITE_BUSY;
  Suspend();
  return Resume(*other->connection_) ? SQLITE_OK : SQLITE_BUSY;
}

}  // namespace internal

void Database::Close::operator()(internal::Connection* connection) const { delete connection; }

Error SqliteError(sqlite3* database, int code, std::string_view doing) {
  const int basic = code & 0xff;
  const int system = database == nullptr ? 0 : sqlite3_system_errno(database);
  // SQLite reports some calls that found no room, the growing of the WAL index among them, as I/O
  // errors.
  const bool full = basic == SQLITE_FULL || ((basic == SQLITE_IOERR || basic == SQLITE_CANTOPEN) &&
                                             (system == ENOSPC || system == EDQUOT));
  std::string detail;
  if (const char* path = database == nullptr ? nullptr : sqlite3_db_filename(database, "main");
      path != nullptr && *path != '\0') {
    detail.append(path).append(": ");
  }
  if (!doing.empty()) detail.append(doing).append(": ");
  detail += full ? "the disk is full" : sqlite3_errstr(code);
  if (database != nullptr) {
    detail += " (extended code " + std::to_string(sqlite3_extended_errcode(database));
    if (system != 0) detail += ", errno " + std::to_string(system);
    detail += ")";
  }
  if (full) return {Code::kUnavailable, "storage_full", detail};
  switch (basic) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::kUnavailable, kBusyReason, detail};
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
      return {Code::kUnavailable, "storage_unavailable", detail};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Code::kCorrupted, "storage_corrupted", detail};
    case SQLITE_CONSTRAINT:
      return {Code::kConflict, "conflict", detail};
    default:
      return {Code::kInternal, "internal_error", detail};
  }
}

bool IsBusy(const Error& error) { return error.reason == kBusyReason; }

bool IsFsyncFailure(int extended_code) {
  return extended_code == SQLITE_IOERR_FSYNC || extended_code == SQLITE_IOERR_DIR_FSYNC ||
         extended_code == SQLITE_IOERR_CLOSE;
}

Status RemoveDatabase(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    const std::string file = path + suffix;
    if (unlink(file.c_str()) != 0 && errno != ENOENT) {
      return Fail(Code::kUnavailable, "file_not_removed",
                  "cannot remove " + file + ": " + std::strerror(errno));
    }
  }
  return {};
}

Result<Database> Database::Open(const std::string& path, const crypto::SecretBytes& key,
                                const Options& options) {
  ConfigureSqlite();
  struct stat status{};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (!exists && !options.create) {
    return Fail(Code::kNotFound, "database_missing", path + " does not exist");
  }
  // SQLite takes a file without a byte for a new database.
  if (exists && status.st_size == 0 && !options.create) {
    return Fail(Code::kCorrupted, "database_unreadable", path + " is empty");
  }

  Database database;
  database.path_ = path;
  database.connection_.reset(new internal::Connection);
  sqlite3* raw = nullptr;
  // A read-only connection to a WAL database still needs the shared-memory file, hence READWRITE
  // with query_only below.
  const int flags = SQLITE_OPEN_READWRITE | (options.create ? SQLITE_OPEN_CREATE : 0) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
  // A link in place of the file is not followed; the way to it may lead over some.
  const std::filesystem::path named(path);
  std::error_code unresolved;
  const auto folder = std::filesystem::canonical(
      named.has_parent_path() ? named.parent_path() : std::filesystem::path("."), unresolved);
  const std::string resolved = unresolved ? path : (folder / named.filename()).string();
  const int code = sqlite3_open_v2(resolved.c_str(), &raw, flags, nullptr);
  database.connection_->handle = raw;
  if (code != SQLITE_OK) return std::unexpected(SqliteError(raw, code, "opening " + path));
  // Also while another connection is the first, or the last, to open a database.
  database.SetPatience(kPatienceMs);
  COFFER_TRY(RefusePlaintext(raw, path));

  COFFER_TRY(ApplyKey(raw, key));
  // SQLCipher writes its own lines to stderr otherwise, between those of the JSON log; applying a
  // key resets this.
  COFFER_TRY(database.Execute("PRAGMA cipher_log_level = NONE"));
  COFFER_ASSIGN(const std::string version, Pragma(raw, "PRAGMA cipher_version"));
  if (!version.starts_with("4.")) {
    return Fail(Code::kInternal, "sqlcipher_missing",
                "this program is not linked with SQLCipher 4 (version '" + version + "')");
  }
  // A wrong key shows only when a page is read.
  if (auto schema = Pragma(raw, "SELECT count(*) FROM sqlite_schema"); !schema) {
    if (schema.error().code == Code::kUnavailable) return std::unexpected(schema.error());
    return Fail(Code::kCorrupted, "database_unreadable",
                path +
                    " cannot be read with this vault's key: it is damaged, or belongs to "
                    "another vault");
  }
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // Without this, SQLite's sorts go to a temporary file in plaintext.
  COFFER_TRY(database.Execute("PRAGMA temp_store = 2"));
  COFFER_TRY(Expect(raw, "PRAGMA temp_store", "2"));
  COFFER_TRY(database.Execute("PRAGMA foreign_keys = ON"));
  const std::string cache = "PRAGMA cache_size = -" + std::to_string(options.cache_kib);
  COFFER_TRY(database.Execute(cache.c_str()));
  if (options.read_only) {
    COFFER_TRY(database.Execute("PRAGMA query_only = ON"));
    sqlite3_wal_autocheckpoint(raw, 0);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return database;
  }
  COFFER_TRY(Expect(raw, "PRAGMA journal_mode = WAL", "wal"));
  COFFER_TRY(database.Execute("PRAGMA synchronous = FULL"));
  COFFER_TRY(Expect(raw, "PRAGMA synchronous", "2"));
  COFFER_TRY(Expect(raw, "PRAGMA secure_delete = ON", "1"));
  // Checkpoints are run by the one writer, when it chooses.
  COFFER_TRY(Expect(raw, "PRAGMA wal_autocheckpoint = 0", "0"));
  // A WAL that a long read let grow shrinks to this when it is begun anew.
  COFFER_TRY(Expect(raw, "PRAGMA journal_size_limit = 16777216", "16777216"));
  if (chmod(path.c_str(), 0600) != 0) {
    return Fail(Code::kUnavailable, "storage_unavailable", "cannot set the mode of " + path);
  }
  return database;
}

sqlite3* Database::handle() const { return connection_ ? connection_->handle : nullptr; }

bool Database::FollowWal(int* frames) {
  const auto told = [](void* counter, sqlite3*, const char*, int count) {
    *static_cast<int*>(counter) = count;
    return SQLITE_OK;
  };
  const void* const before =
      sqlite3_wal_hook(handle(), frames == nullptr ? nullptr : +told, frames);
  return before != frames;
}

void Database::FollowRows(OnRowChange on_change) {
  connection_->on_row = std::move(on_change);
  connection_->HookRows();
}

Status Database::DefineFunction(const std::string& name, SqlFunction function) {
  connection_->functions[name] = std::move(function);
  return connection_->Define(name);
}

void Database::BeforeCheckpoint(std::function<void()> tell) {
  connection_->before_checkpoint = std::move(tell);
}

void Database::Suspend() { connection_->Suspend(); }

Status Database::Resume(Database other) { return connection_->Resume(*other.connection_); }

void Database::Follow(std::function<bool()> outdated, std::function<Result<Database>()> open) {
  connection_->outdated = std::move(outdated);
  connection_->open = std::move(open);
  for (auto* one = connection_->first; one != nullptr; one = one->after) one->follows = true;
}

void Database::FollowNow() { (void)connection_->FollowExchange(); }

Status Database::Execute(const char* sql) {
  int code = connection_->FollowExchange();
  if (code == SQLITE_OK) code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(StatementError(handle(), code, sql));
  return {};
}

Result<Database::WalState> Database::Checkpoint(bool truncate) {
  WalState state;
  connection_->TellOfCheckpoint();
  const int code = sqlite3_wal_checkpoint_v2(
      handle(), "main", truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
      &state.frames, &state.checkpointed);
  if (code != SQLITE_OK) return std::unexpected(SqliteError(handle(), code, "checkpoint"));
  return state;
}

Result<bool> Database::TruncateWal() {
  connection_->TellOfCheckpoint();
  SetPatience(0);
  const int code =
      sqlite3_wal_checkpoint_v2(handle(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  SetPatience(kPatienceMs);
  if ((code & 0xff) == SQLITE_BUSY) return false;
  if (code != SQLITE_OK) return std::unexpected(SqliteError(handle(), code, "checkpoint"));
  return true;
}

Result<std::uint64_t> Database::FileBytes() const {
  COFFER_ASSIGN(sqlite3_file* const file, FileOf(handle()));
  sqlite3_int64 size = 0;
  const int code = file->pMethods->xFileSize(file, &size);
  if (code != SQLITE_OK) return std::unexpected(SqliteError(handle(), code, "measuring"));
  return static_cast<std::uint64_t>(size);
}

Status Database::ReadFileBytes(std::uint64_t at, std::span<std::uint8_t> out) const {
  COFFER_ASSIGN(sqlite3_file* const file, FileOf(handle()));
  const int code = file->pMethods->xRead(file, out.data(), static_cast<int>(out.size()),
                                         static_cast<sqlite3_int64>(at));
  if (code == SQLITE_IOERR_SHORT_READ) return Fail(Code::kCorrupted, "file_too_short", path_);
  if (code != SQLITE_OK) return std::unexpected(SqliteError(handle(), code, "reading"));
  return {};
}

Result<std::vector<std::string>> Database::CheckPages() {
  constexpr std::string_view kFailed = "HMAC verification failed for page ";
  const auto look = [this]() -> Result<std::vector<std::string>> {
    std::vector<std::string> faults;
    COFFER_ASSIGN(auto check, Statement::Prepare(*this, "PRAGMA cipher_integrity_check"));
    auto rows = check.Query();
    for (;;) {
      COFFER_ASSIGN(const bool more, rows.Next());
      if (!more) return faults;
      faults.emplace_back(rows.Text(0));
    }
  };
  COFFER_ASSIGN(auto faults, look());
  if (faults.empty()) return faults;
  // The check reads the file without a lock. A page that a checkpoint is writing may be read half,
  // and a new page that no checkpoint has reached yet, because a reader holds it up, is a hole
  // before those that one has. Damage is still there at the second look, and was not in the WAL
  // between the two: a page cannot leave the WAL before it is in the file.
  const auto waiting = PagesInWal(path_ + "-wal");
  COFFER_ASSIGN(const auto again, look());
  std::erase_if(faults, [&](const std::string& fault) {
    if (std::ranges::find(again, fault) == again.end()) return true;
    if (!fault.starts_with(kFailed)) return false;
    const auto page = std::strtoul(fault.c_str() + kFailed.size(), nullptr, 10);
    return page == kLockPage || waiting.contains(static_cast<std::uint32_t>(page));
  });
  return faults;
}

Result<bool> Cursor::Next() {
  if (code_ == SQLITE_OK) code_ = sqlite3_step(handle());
  const int code = std::exchange(code_, SQLITE_OK);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const char* const sql = sqlite3_sql(handle());
  return std::unexpected(
      StatementError(sqlite3_db_handle(handle()), code, sql == nullptr ? "" : sql));
}

Result<Statement> Statement::Prepare(const Database& database, std::string_view sql) {
  Statement statement;
  statement.prepared_ = std::make_unique<internal::Prepared>();
  COFFER_TRY(database.connection_->Prepare(*statement.prepared_, sql));
  database.connection_->Add(*statement.prepared_);
  return statement;
}

int Statement::FollowExchange() {
  return prepared_->connection == nullptr ? SQLITE_OK : prepared_->connection->FollowExchange();
}

Status Statement::ExecuteWithRow(const Cursor& row) {
  int error = SQLITE_OK;
  for (int column = 0; column < sqlite3_column_count(row.handle()); ++column) {
    const int code = sqlite3_bind_value(prepared_->handle, column + 1,
                                        sqlite3_column_value(row.handle(), column));
    if (code != SQLITE_OK) error = code;
  }
  Cursor cursor(*prepared_, error);
  auto stepped = cursor.Next();
  if (!stepped) return std::unexpected(std::move(stepped).error());
  return {};
}

Result<DatabaseTransaction> DatabaseTransaction::Begin(Database& database) {
  COFFER_TRY(database.Execute("BEGIN IMMEDIATE"));
  return DatabaseTransaction(database);
}

DatabaseTransaction::~DatabaseTransaction() {
  // A failed statement may have rolled back already; then there is nothing to do.
  if (database_ != nullptr && sqlite3_get_autocommit(database_->handle()) == 0) {
    sqlite3_exec(database_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Status DatabaseTransaction::Commit() {
  COFFER_TRY(database_->Execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace coffer::vault
