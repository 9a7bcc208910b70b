#include "vault/storage/page_copy.h"

#include <sqlite3.h>
#include <unistd.h>

#include <utility>

namespace coffer::vault {
namespace {

constexpr int kCopyCacheKib = 2048;

}  // namespace

Result<PageCopy> PageCopy::Begin(Database& source, const std::string& path,
                                 const crypto::SecretBytes& key) {
  PageCopy copy;
  COFFER_ASSIGN(copy.copy_,
                Database::Open(path, key, {.create = true, .cache_kib = kCopyCacheKib}));
  // A crash drops all of it: nothing has to be durable, and nothing rolled back, before the end.
  COFFER_TRY(copy.copy_.Execute("PRAGMA journal_mode = OFF"));
  COFFER_TRY(copy.copy_.Execute("PRAGMA synchronous = OFF"));
  copy.backup_.reset(sqlite3_backup_init(copy.copy_.handle(), "main", source.handle(), "main"));
  if (!copy.backup_) {
    return std::unexpected(SqliteError(
        copy.copy_.handle(), sqlite3_extended_errcode(copy.copy_.handle()), "copying pages"));
  }
  return copy;
}

void PageCopy::Finish::operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }

Result<bool> PageCopy::Step(int pages) {
  if (!backup_) return Fail(Code::kInternal, "internal_error", "the copy is closed");
  const int code = sqlite3_backup_step(backup_.get(), pages);
  total_ = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup_.get()));
  left_ = static_cast<std::uint64_t>(sqlite3_backup_remaining(backup_.get()));
  if (code == SQLITE_OK) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(SqliteError(copy_.handle(), code, "copying pages"));
}

Status PageCopy::Close() {
  const int code = sqlite3_backup_finish(backup_.release());
  if (code != SQLITE_OK) return std::unexpected(SqliteError(copy_.handle(), code, "copying pages"));
  const std::string wal = copy_.path() + "-wal";
  // As the source, it says of itself that it has a WAL, and the last connection removes one.
  copy_ = Database();
  if (access(wal.c_str(), F_OK) == 0) {
    return Fail(Code::kUnavailable, "storage_unavailable", wal + " is still there");
  }
  return {};
}

}  // namespace coffer::vault
