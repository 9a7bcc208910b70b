#include "vault/engine/key_store_rewrite.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>

#include "crypto/keys_database_key.h"
#include "vault/storage/dialect.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/migrations.h"

namespace coffer::vault {
namespace {

constexpr auto kKeysStepTime = std::chrono::milliseconds(2);
constexpr int kKeysRowsAtOnce = 32;
constexpr int kKeysPatienceMs = 20;
// Of opening the new file, which there is no going back from.
constexpr int kOpenTries = 15;
constexpr std::string_view kKeysTable = "client_keys";
// Few rows, copied anew with each step.
constexpr std::string_view kIndexKeysTable = "index_keys";
constexpr std::string_view kIndexKeysSelect = "SELECT generation, wrapped FROM index_keys";
constexpr std::string_view kIndexKeysInsert =
    "INSERT INTO index_keys (generation, wrapped) VALUES (?, ?)";

std::unexpected<Error> KeysFileFailed(const char* doing, const std::string& path) {
  return Fail(Code::kUnavailable, "file_not_written",
              std::string(doing) + " " + path + ": " + std::strerror(errno));
}

// Whether the pragma answers `wanted`.
Result<bool> KeysPragmaGives(const Database& database, std::string_view sql,
                             std::string_view wanted) {
  COFFER_ASSIGN(auto pragma, Statement::Prepare(database, sql));
  auto row = pragma.Query();
  COFFER_ASSIGN(const bool found, row.Next());
  return found && row.Text(0) == wanted;
}

Status SetKeysJournal(const Database& database, std::string_view sql, std::string_view wanted) {
  COFFER_ASSIGN(const bool set, KeysPragmaGives(database, sql, wanted));
  if (!set) return Fail(Code::kInternal, "sqlite_setting_refused", std::string(sql));
  return {};
}

// `"client", "cid", …`: all there are, so that no column is forgotten that a later version adds.
Result<std::string> KeysColumns(const Database& database, int& count) {
  COFFER_ASSIGN(const auto names, ColumnsOf(database, kKeysTable));
  count = static_cast<int>(names.size());
  std::string columns;
  for (const std::string& name : names) {
    columns.append(columns.empty() ? "\"" : ", \"").append(name).append("\"");
  }
  return columns;
}

Status RemoveKeysFile(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return KeysFileFailed("cannot remove", path);
  return {};
}

}  // namespace

Result<std::unique_ptr<KeyStoreRewrite>> KeyStoreRewrite::Create(Database& keys, KeyStore& store,
                                                                 const crypto::Keyring& keyring,
                                                                 Options options) {
  std::unique_ptr<KeyStoreRewrite> rewrite(
      new KeyStoreRewrite(keys, store, keyring, std::move(options)));
  COFFER_ASSIGN(const bool unmarked, KeysPragmaGives(keys, "PRAGMA user_version", "0"));
  rewrite->marked_ = !unmarked;
  // A vault from before keys.db had a key of its own: keys may have been destroyed then.
  rewrite->needed_ =
      rewrite->marked_ || access(KeysDatabaseKeyPath(keys.path()).c_str(), F_OK) != 0;
  rewrite->first_ = rewrite->last_ = Clock::now();
  const auto versions = keyring.keys_db_keys().versions();
  rewrite->asked_for_ = versions.front();
  if (versions.size() == 1) rewrite->sealed_under_ = versions.front();
  rewrite->Watch();
  rewrite->Enter(Phase::kIdle);
  return rewrite;
}

KeyStoreRewrite::~KeyStoreRewrite() {
  if (keys_.handle() != nullptr) keys_.FollowRows(nullptr);
}

void KeyStoreRewrite::Watch() {
  keys_.FollowRows([this](RowChange change, std::string_view table, std::int64_t row) {
    const bool added = change == RowChange::kInserted;
    if (table == kKeysTable) {
      Changed(added, row);
    } else if (table == kIndexKeysTable && !added) {
      Destroyed();
    }
  });
}

// Also of what is rolled back later: a row is then copied, or the file rewritten, once too often.
void KeyStoreRewrite::Changed(bool added, std::int64_t row) {
  // The others are copied when their turn comes.
  if (working() && row <= position_) changed_.push_back(row);
  if (!added) Destroyed();
}

void KeyStoreRewrite::Destroyed() {
  last_ = Clock::now();
  if (!needed_) first_ = last_;
  if (working()) destroyed_meanwhile_ = true;
  needed_ = true;
  pending_.store(true, std::memory_order_relaxed);
}

void KeyStoreRewrite::Enter(Phase phase) {
  phase_ = phase;
  pending_.store(needed_ || phase != Phase::kIdle, std::memory_order_relaxed);
}

Status KeyStoreRewrite::Mark() {
  if (!needed_ || marked_) return {};
  COFFER_TRY(keys_.Execute("PRAGMA user_version = 1"));
  marked_ = true;
  return {};
}

// Once for each version, in addition to what is destroyed.
void KeyStoreRewrite::LookAtKeyring() {
  const std::uint32_t newest = keyring_.keys_db_keys().newest();
  if (asked_for_ == newest) return;
  asked_for_ = newest;
  sealed_under_ = 0;
  Destroyed();
}

bool KeyStoreRewrite::Due() const {
  if (!needed_) return false;
  const auto now = Clock::now();
  const std::chrono::milliseconds after(options_.after_ms), interval(options_.interval_ms);
  if (started_ && now - *started_ < interval) return false;
  return now - last_ >= after || now - first_ >= interval;
}

Status KeyStoreRewrite::Step() {
  LookAtKeyring();
  if (auto marked = Mark(); !marked && IsFsyncFailure(keys_.ExtendedError())) return marked;
  const auto copy = [this]() -> Status {
    if (phase_ == Phase::kIdle) return Due() ? Begin() : Status{};
    if (phase_ == Phase::kCopying) {
      COFFER_ASSIGN(const bool all, Copy());
      return all ? StartSync() : Status{};
    }
    return {};
  };
  if (auto copied = copy(); !copied) GiveUp(copied.error());
  if (phase_ == Phase::kSyncing) {
    const auto ready = Synced();
    if (!ready) GiveUp(ready.error());
    if (ready && *ready) return Finish();
  }
  if (phase_ == Phase::kPromoting &&
      Clock::now() - *promoted_last_ >= std::chrono::milliseconds(options_.interval_ms)) {
    Promote();
  }
  return {};
}

Status KeyStoreRewrite::Begin() {
  started_ = Clock::now();
  Enter(Phase::kCopying);
  position_ = std::numeric_limits<std::int64_t>::min();
  changed_.clear();
  destroyed_meanwhile_ = false;
  return PrepareNext();
}

Status KeyStoreRewrite::PrepareNext() {
  const std::string path = keys_.path();
  const std::string next_path = NextKeysDatabasePath(path);
  const std::string key_path = KeysDatabaseKeyPath(path);
  // What an attempt that failed could not remove.
  COFFER_TRY(RemoveNextKeysDatabase(path));
  COFFER_TRY(crypto::DropNextKeysDatabaseKey(key_path, keyring_));
  sealing_under_ = keyring_.keys_db_keys().newest();
  COFFER_ASSIGN(const auto key, crypto::AddKeysDatabaseKey(key_path, keyring_));
  COFFER_ASSIGN(next_, Database::Open(next_path, key, {.create = true}));
  COFFER_TRY(Migrate(next_, KeysMigrations()));
  // A crash drops all of it, so that nothing has to be durable before the end; and without a WAL a
  // key that is destroyed meanwhile leaves no copy in one.
  COFFER_TRY(SetKeysJournal(next_, "PRAGMA journal_mode = MEMORY", "memory"));
  COFFER_TRY(next_.Execute("PRAGMA synchronous = OFF"));

  int count = 0;
  COFFER_ASSIGN(const std::string columns, KeysColumns(keys_, count));
  const std::string select =
      "SELECT rowid, " + columns + " FROM " + std::string(kKeysTable) + " WHERE rowid ";
  std::string places = "?";
  for (int i = 0; i < count; ++i) places += ", ?";
  COFFER_ASSIGN(some_, Statement::Prepare(keys_, select + "> ? ORDER BY rowid LIMIT " +
                                                     std::to_string(kKeysRowsAtOnce)));
  COFFER_ASSIGN(one_, Statement::Prepare(keys_, select + "= ?"));
  COFFER_ASSIGN(insert_,
                Statement::Prepare(next_, "INSERT INTO " + std::string(kKeysTable) + " (rowid, " +
                                              columns + ") VALUES (" + places + ")"));
  COFFER_ASSIGN(remove_, Statement::Prepare(
                             next_, "DELETE FROM " + std::string(kKeysTable) + " WHERE rowid = ?"));
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (!directory_.Open(directory.empty() ? "." : directory.string(), O_RDONLY | O_DIRECTORY)) {
    return KeysFileFailed("cannot open the directory of", path);
  }
  // Open before there is anything in it that matters: a write that the system could not do later on
  // shows at its next sync, also when SQLite was told first and kept it to itself. POSIX drops this
  // process's locks on the file when this is closed: by then SQLite has ended.
  if (!file_.Open(next_path, O_RDONLY)) return KeysFileFailed("cannot open", next_path);
  return {};
}

// True: all rows that there are now.
Result<bool> KeyStoreRewrite::Copy() {
  const auto until = Clock::now() + kKeysStepTime;
  COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(next_));
  for (const std::int64_t row : changed_) COFFER_TRY(CopyAgain(row));
  changed_.clear();
  bool more = true;
  while (more && Clock::now() < until) {
    COFFER_ASSIGN(more, CopySome());
  }
  COFFER_TRY(CopyIndexKeys());
  COFFER_TRY(transaction.Commit());
  return !more;
}

Result<bool> KeyStoreRewrite::CopySome() {
  int copied = 0;
  auto rows = some_.Query(position_);
  for (;; ++copied) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return copied == kKeysRowsAtOnce;
    COFFER_TRY(insert_.ExecuteWithRow(rows));
    position_ = rows.Int(0);
  }
}

Status KeyStoreRewrite::CopyIndexKeys() {
  COFFER_TRY(next_.Execute("DELETE FROM index_keys"));
  COFFER_ASSIGN(auto select, Statement::Prepare(keys_, kIndexKeysSelect));
  COFFER_ASSIGN(auto insert, Statement::Prepare(next_, kIndexKeysInsert));
  auto rows = select.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return {};
    COFFER_TRY(insert.ExecuteWithRow(rows));
  }
}

Status KeyStoreRewrite::CopyAgain(std::int64_t row) {
  COFFER_TRY(remove_.Execute(row));
  auto rows = one_.Query(row);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (found) COFFER_TRY(insert_.ExecuteWithRow(rows));
  return {};
}

// Most of the file, while requests go on.
Status KeyStoreRewrite::StartSync() {
  try {
    syncing_ = std::async(std::launch::async, [fd = file_.get()] { return fsync(fd) == 0; });
  } catch (const std::system_error& error) {
    return Fail(Code::kUnavailable, "storage_unavailable",
                std::string("no thread to sync keys.db.next: ") + error.what());
  }
  Enter(Phase::kSyncing);
  return {};
}

// True: keys.db.next has all rows, and little of it is not on the disk.
Result<bool> KeyStoreRewrite::Synced() {
  if (syncing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
  if (!syncing_.get()) {
    return Fail(Code::kUnavailable, "file_not_written", "keys.db.next could not be synced");
  }
  COFFER_ASSIGN(const bool all, Copy());
  if (!all) Enter(Phase::kCopying);
  return all;
}

Status KeyStoreRewrite::CompleteNext() {
  if (destroyed_meanwhile_) COFFER_TRY(next_.Execute("PRAGMA user_version = 1"));
  COFFER_TRY(next_.Execute("PRAGMA synchronous = FULL"));
  insert_ = {};
  remove_ = {};
  COFFER_TRY(SetKeysJournal(next_, "PRAGMA journal_mode = WAL", "wal"));
  COFFER_TRY(next_.Checkpoint(true));
  next_ = Database();  // the only connection: removes its WAL
  if (access((NextKeysDatabasePath(keys_.path()) + "-wal").c_str(), F_OK) == 0) {
    return Fail(Code::kUnavailable, "storage_unavailable", "keys.db.next did not close");
  }
  if (fsync(file_.get()) != 0) return KeysFileFailed("cannot sync", "keys.db.next");
  file_.Close();
  return {};
}

Status KeyStoreRewrite::Finish() {
  if (auto completed = CompleteNext(); !completed) {
    GiveUp(completed.error());
    return {};
  }
  // A reader must not hold the engine up: the rewrite is tried again.
  keys_.SetPatience(kKeysPatienceMs);
  auto checkpoint = keys_.Checkpoint(true);
  keys_.SetPatience(Database::kPatienceMs);
  if (!checkpoint) {
    if (IsFsyncFailure(keys_.ExtendedError())) return std::unexpected(checkpoint.error());
    GiveUp(checkpoint.error());
    return {};
  }
  const std::string path = keys_.path();
  some_ = {};
  one_ = {};
  store_ = {};
  keys_ = Database();

  // Somebody who looks at the pages of the old database keeps its files, which have no name then.
  Status replaced = RemoveKeysFile(path + "-wal");
  if (replaced) replaced = RemoveKeysFile(path + "-shm");
  const auto sync = [&]() -> Status {
    if (fsync(directory_.get()) != 0) return KeysFileFailed("cannot sync the directory of", path);
    return {};
  };
  if (replaced) {
    COFFER_TRY(sync());
    if (rename(NextKeysDatabasePath(path).c_str(), path.c_str()) != 0) {
      replaced = KeysFileFailed("cannot replace", path);
    }
  }
  // Otherwise a power failure could bring back the old file, without what is committed from now on.
  if (replaced) COFFER_TRY(sync());
  auto opened = OpenKeysDatabase(path, keyring_, {.cache_kib = kKeysCacheKib});
  for (int tried = 1; !opened && IsBusy(opened.error()) && tried < kOpenTries; ++tried) {
    opened = OpenKeysDatabase(path, keyring_, {.cache_kib = kKeysCacheKib});
  }
  COFFER_ASSIGN(keys_, std::move(opened));
  COFFER_ASSIGN(store_, KeyStore::Open(keys_));
  Watch();
  if (!replaced) {
    GiveUp(replaced.error());
    return {};
  }
  directory_.Close();
  needed_ = marked_ = destroyed_meanwhile_;
  first_ = last_;
  completed_.fetch_add(1, std::memory_order_relaxed);
  Enter(Phase::kPromoting);
  Promote();
  return {};
}

void KeyStoreRewrite::Promote() {
  promoted_last_ = Clock::now();
  const auto promoted = crypto::PromoteKeysDatabaseKey(KeysDatabaseKeyPath(keys_.path()), keyring_);
  if (promoted) {
    sealed_under_ = sealing_under_;
    Enter(Phase::kIdle);
    Log(Severity::kInfo, "keys.db was rewritten under a new key");
  } else {
    Log(Severity::kWarning,
        "the old key of keys.db is not destroyed yet, and will be tried again: " +
            promoted.error().detail);
  }
}

void KeyStoreRewrite::GiveUp(const Error& why) {
  Log(Severity::kWarning, "keys.db could not be rewritten, and will be tried again: " + why.detail);
  Abandon();
}

void KeyStoreRewrite::Abandon() {
  if (!working()) return;
  if (syncing_.valid()) syncing_.wait();
  syncing_ = {};
  some_ = {};
  one_ = {};
  insert_ = {};
  remove_ = {};
  next_ = Database();
  file_.Close();
  directory_.Close();
  Enter(Phase::kIdle);
  // What cannot be removed now is in the way of nothing: the next attempt, or start, does it.
  auto removed = RemoveNextKeysDatabase(keys_.path());
  if (removed) {
    removed = crypto::DropNextKeysDatabaseKey(KeysDatabaseKeyPath(keys_.path()), keyring_);
  }
  if (!removed) Log(Severity::kWarning, removed.error().detail);
}

void KeyStoreRewrite::Log(Severity severity, const std::string& message) const {
  if (options_.log) options_.log(severity, message);
}

}  // namespace coffer::vault
