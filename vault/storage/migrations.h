// Numbered, append-only schema changes. Each is applied once, in order, and its SHA-256 is kept, so
// that an edited migration is refused instead of silently skipped.
#pragma once

#include <string_view>
#include <vector>

#include "crypto/result.h"

namespace coffer::vault {

class Database;

struct Migration {
  std::string_view name;  // "0001_start"
  std::string_view sql;
};

const std::vector<Migration>& VaultMigrations();
const std::vector<Migration>& KeysMigrations();

// All of them in one transaction. Errors: kCorrupted "migration_altered" when an applied migration
// has another text or is unknown to this program (a newer one wrote the file).
Status Migrate(Database& database, const std::vector<Migration>& migrations);

// Whether it would change nothing. Errors: as Migrate.
Result<bool> IsMigrated(const Database& database, const std::vector<Migration>& migrations);

}  // namespace coffer::vault
