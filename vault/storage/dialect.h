// What only SQLite says so, in one list; all other statements are such as PostgreSQL would take
// too.
//   here                          what a database has, and an array's members as rows
//   storage/sqlite.cc             pragmas, the key, the kinds of transactions, the write-ahead log
//   storage/migrations/           STRICT, WITHOUT ROWID
//   engine/committed_state.cc     triggers of one connection, which call a function of ours
//   engine/key_store.cc           rows by their number
//   engine/key_store_rewrite.cc   rows by their number, and what statements did to which
//   oversight/logged_state.cc, log_index.cc   tables of databases that are made anew from the log
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vault/storage/sqlite.h"

namespace coffer::vault {

// The members of a JSON array of numbers, which is bound, as rows: for IN.
inline constexpr std::string_view kArrayMembers = "SELECT value FROM json_each(?)";

Result<bool> HasTable(const Database& database, std::string_view table);
Result<bool> HasColumn(const Database& database, std::string_view table, std::string_view column);
// In the order in which they were declared; none where there is no such table.
Result<std::vector<std::string>> ColumnsOf(const Database& database, std::string_view table);

}  // namespace coffer::vault
