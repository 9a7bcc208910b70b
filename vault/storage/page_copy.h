// All pages of a database, written into another file under another key while the database is
// written to: what is committed to a page that was copied is copied again with the commit
// (https://sqlite.org/c3ref/backup_finish.html), as long as it is done by the same connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "crypto/result.h"
#include "crypto/secret_bytes.h"
#include "vault/storage/sqlite.h"

struct sqlite3_backup;

namespace coffer::vault {

// Of the thread that has the connection.
class PageCopy {
 public:
  // `path` does not exist yet. `source` outlives this, and is not suspended meanwhile. Errors:
  // those of Database::Open.
  static Result<PageCopy> Begin(Database& source, const std::string& path,
                                const crypto::SecretBytes& key);

  // `pages` more, of 0 none: what is left is known then. False: all were copied, and what is
  // committed from now on is not. A transaction of the source that is rolled back as a whole begins
  // it anew. Errors: those of SqliteError.
  Result<bool> Step(int pages);
  std::uint64_t total() const { return total_; }
  std::uint64_t left() const { return left_; }
  // Closes the copy, whose file is all there is of it then. Not durable. Precondition: Step was
  // false. Errors: those of SqliteError.
  Status Close();

 private:
  PageCopy() = default;
  struct Finish {
    void operator()(sqlite3_backup* backup) const;
  };
  Database copy_;
  std::unique_ptr<sqlite3_backup, Finish> backup_;  // ends before it
  std::uint64_t total_ = 0, left_ = 0;
};

}  // namespace coffer::vault
