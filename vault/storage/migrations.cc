#include "vault/storage/migrations.h"

#include <string>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "vault/storage/dialect.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {
namespace {

constexpr const char* kCreateRegister =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "name TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT, WITHOUT ROWID";
constexpr std::string_view kSelectApplied =
    "SELECT name, sha256 FROM schema_migrations ORDER BY name";
constexpr std::string_view kInsertApplied =
    "INSERT INTO schema_migrations (name, sha256) VALUES (?, ?)";

std::string HashOf(const Migration& migration) {
  return crypto::HexEncode(crypto::Sha256(crypto::AsBytes(migration.sql)));
}

// How many of the migrations are applied, which are the first ones.
Result<std::size_t> CountApplied(const Database& database,
                                 const std::vector<Migration>& migrations) {
  COFFER_ASSIGN(auto select, Statement::Prepare(database, kSelectApplied));
  auto rows = select.Query();
  for (std::size_t applied = 0;; ++applied) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return applied;
    if (applied == migrations.size() || rows.Text(0) != migrations[applied].name ||
        rows.Text(1) != HashOf(migrations[applied])) {
      return Fail(Code::kCorrupted, "migration_altered",
                  database.path() + " was written by another version of Coffer (migration " +
                      std::string(rows.Text(0)) + "); run the version that wrote it, or newer");
    }
  }
}

}  // namespace

Status Migrate(Database& database, const std::vector<Migration>& migrations) {
  COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(database));
  COFFER_TRY(database.Execute(kCreateRegister));
  COFFER_ASSIGN(std::size_t applied, CountApplied(database, migrations));
  for (; applied < migrations.size(); ++applied) {
    COFFER_TRY(database.Execute(std::string(migrations[applied].sql).c_str()));
    COFFER_ASSIGN(auto insert, Statement::Prepare(database, kInsertApplied));
    COFFER_TRY(
        insert.Execute(migrations[applied].name, std::string_view(HashOf(migrations[applied]))));
  }
  return transaction.Commit();
}

Result<bool> IsMigrated(const Database& database, const std::vector<Migration>& migrations) {
  COFFER_ASSIGN(const bool registered, HasColumn(database, "schema_migrations", "name"));
  if (!registered) return false;
  COFFER_ASSIGN(const std::size_t applied, CountApplied(database, migrations));
  return applied == migrations.size();
}

}  // namespace coffer::vault
