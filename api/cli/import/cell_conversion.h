// From the text of a cell to a field's value. What is understood is what can mean one thing only;
// everything else is named by the mapping, or said to be wrong. docs/importing.md has the table.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/cli/import/cell_date.h"
#include "vault/catalog/class_schema.h"

namespace coffer::cli {

struct CellRules {
  vault::Field field;  // its type, its limits, its values: what the vault will ask for
  std::string list_separator = ";";
  std::optional<std::string> line_joint;  // between the lines of what must be one line
  std::vector<DateFormat> date_formats;
  DateContext dates;
  bool decimal_comma = false;
  std::vector<std::string> yes, no;           // words beside true, yes, 1 and false, no, 0
  std::map<std::string, std::string> values;  // of a choice: what the table writes for it
  std::string region;                         // CLDR code, "RU": telephones become E.164
};

// Appends the value in JSON. False, and nothing appended: the cell is empty. An error says why it
// is no such value, and never repeats any of it; then what was appended is to be taken off again.
// Precondition: `cell` is clean UTF-8 (vault::IsCleanUtf8).
std::expected<bool, std::string> AppendConverted(const CellRules& rules, std::string_view cell,
                                                 std::string& out);

// Why an identifier must have come to harm on its way, or nothing.
std::string_view DamageToKey(std::string_view key);

}  // namespace coffer::cli
