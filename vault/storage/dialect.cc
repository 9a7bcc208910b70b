#include "vault/storage/dialect.h"

namespace coffer::vault {

Result<bool> HasTable(const Database& database, std::string_view table) {
  COFFER_ASSIGN(auto select,
                Statement::Prepare(database, "SELECT 1 FROM sqlite_schema WHERE name = ?"));
  auto rows = select.Query(table);
  return rows.Next();
}

Result<bool> HasColumn(const Database& database, std::string_view table, std::string_view column) {
  COFFER_ASSIGN(auto select,
                Statement::Prepare(database, "SELECT 1 FROM pragma_table_info(?) WHERE name = ?"));
  auto rows = select.Query(table, column);
  return rows.Next();
}

Result<std::vector<std::string>> ColumnsOf(const Database& database, std::string_view table) {
  COFFER_ASSIGN(auto select,
                Statement::Prepare(database, "SELECT name FROM pragma_table_info(?) ORDER BY cid"));
  std::vector<std::string> columns;
  auto rows = select.Query(table);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return columns;
    columns.emplace_back(rows.Text(0));
  }
}

}  // namespace coffer::vault
