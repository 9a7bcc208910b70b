// Cells of comma-separated values that are safe to open in a spreadsheet: docs/formats.md, "CSV of
// entries".
#pragma once

#include <string>
#include <string_view>

namespace coffer::audit {

// Appends a cell in quotes, behind a comma when `out` ends with a cell.
void AppendCsvCell(std::string_view text, std::string& out);

}  // namespace coffer::audit
