#include "api/cli/text/log_view.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "api/cli/text/folding.h"
#include "audit/entries/entry.h"

namespace coffer::cli {
namespace {

struct Column {
  std::string_view heading;
  std::size_t width, narrow;
};
constexpr Column kColumns[] = {{"ENTRY", 8, 6},     {"TIME", 24, 20},   {"DECISION", 8, 8},
                               {"ACTION", 15, 14},  {"ACTOR", 30, 12},  {"CLIENT", 30, 12},
                               {"PURPOSE", 16, 11}, {"OUTCOME", 18, 8}, {"DETAILS", 0, 0}};
constexpr std::size_t kWide = 200;  // for the columns and something of the details
constexpr std::size_t kDetailsIndent = 8;

bool IsNarrow(const Console& console) {
  return console.out_is_terminal && console.width > 0 && console.width < kWide;
}

// On a narrow terminal details have lines of their own.
std::string InColumns(const std::vector<std::string>& cells, const Console& console) {
  const bool narrow = IsNarrow(console);
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::string cell = Printable(console.names->Show(cells[i], console.in_full()));
    if (narrow) cell = WithoutFractions(std::move(cell));
    if (i + 1 == std::size(kColumns) && narrow) {
      for (const std::string& part :
           Fold(cell, std::max(console.width, 2 * kDetailsIndent) - kDetailsIndent)) {
        while (line.ends_with(' ')) line.pop_back();
        line += "\n" + std::string(kDetailsIndent, ' ') + part;
      }
      break;
    }
    line += cell;
    if (i + 1 == cells.size()) break;
    const std::size_t used = Columns(cell), width = narrow ? kColumns[i].narrow : kColumns[i].width;
    line.append(used < width ? width - used : 0, ' ');
    line += "  ";
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string Details(const audit::Entry& entry) {
  std::vector<std::string> parts;
  if (!entry.record.empty()) parts.push_back(entry.record);
  if (!entry.class_name.empty()) parts.push_back("class " + entry.class_name);
  if (entry.version != 0) parts.push_back("version " + std::to_string(entry.version));
  std::string fields;
  for (const std::string& field : entry.fields) fields += (fields.empty() ? "" : ",") + field;
  if (!fields.empty()) parts.push_back("fields " + fields);
  if (!entry.rule.empty()) parts.push_back(entry.rule);
  if (!entry.detail.empty()) parts.push_back(entry.detail);
  if (!entry.address.empty()) parts.push_back("from " + entry.address);
  std::string details;
  for (const std::string& part : parts) details += (details.empty() ? "" : "; ") + part;
  return details;
}

}  // namespace

std::vector<std::string> EntryHeadings() {
  std::vector<std::string> headings;
  for (const Column& column : kColumns) headings.emplace_back(column.heading);
  return headings;
}

std::vector<std::string> EntryCells(std::string_view bytes) {
  const auto entry = audit::ParseEntry(bytes);
  if (!entry) return {"not an entry: " + std::string(bytes)};
  std::vector<std::string> cells = {std::to_string(entry->seq),
                                    audit::FormatTimestamp(entry->ts),
                                    std::string(audit::Name(entry->decision)),
                                    entry->action,
                                    entry->actor,
                                    entry->client,
                                    entry->purpose,
                                    entry->outcome,
                                    Details(*entry)};
  for (std::string& cell : cells) {
    if (cell.empty()) cell = "-";
  }
  return cells;
}

std::string EntryHeading(const Console& console) {
  std::vector<std::string> headings = EntryHeadings();
  if (IsNarrow(console)) headings.pop_back();
  return InColumns(headings, console);
}

std::string EntryLine(std::string_view bytes, const Console& console) {
  return InColumns(EntryCells(bytes), console);
}

}  // namespace coffer::cli
