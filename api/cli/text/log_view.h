// Entries of the access log, a line each, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/cli/text/console.h"

namespace coffer::cli {

std::vector<std::string> EntryHeadings();
// An entry's cells under these. Bytes that are no entry are a cell of their own.
std::vector<std::string> EntryCells(std::string_view bytes);

// The same in columns of fixed widths, where not all entries are known yet: escaped, with names for
// ids, and no wider than the console.
std::string EntryHeading(const Console& console);
std::string EntryLine(std::string_view bytes, const Console& console);

}  // namespace coffer::cli
