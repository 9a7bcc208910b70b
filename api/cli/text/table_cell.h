// Cells of the tables that coffer writes and coffer import reads: what goes out comes in, to the
// byte. docs/importing.md, "What goes out comes in".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace coffer::cli {

// Appends a cell in quotes, behind a comma when `line` has cells. Text stands as it is, with its
// line breaks, behind an apostrophe where audit::NeedsGuard; numbers and truth in JSON; lists as a
// JSON array; null as an empty cell.
void AppendTableCell(const nlohmann::json& value, std::string& line);
// Of words that are ours, and of ids: nothing where there is nothing.
void AppendPlainCell(std::string_view text, std::string& line);

}  // namespace coffer::cli
