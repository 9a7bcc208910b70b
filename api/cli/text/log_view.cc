#include "api/cli/text/log_view.h"

#include <vector>

#include "audit/entries/entry.h"

namespace coffer::cli {
namespace {

struct Column {
  std::string_view heading;
  std::size_t width;
};
constexpr Column kColumns[] = {{"ENTRY", 8},    {"TIME", 24},    {"DECISION", 8},
                               {"ACTION", 15},  {"ACTOR", 30},   {"CLIENT", 30},
                               {"PURPOSE", 16}, {"OUTCOME", 18}, {"DETAILS", 0}};

std::string InColumns(const std::vector<std::string>& cells, const Console& console) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = Printable(console.names->Show(cells[i], console.in_full()));
    line += cell;
    if (i + 1 == cells.size()) break;
    const std::size_t used = Columns(cell);
    line.append(used < kColumns[i].width ? kColumns[i].width - used : 0, ' ');
    line += "  ";
  }
  while (line.ends_with(' ')) line.pop_back();
  return console.out_is_terminal && console.width > 0 ? CutTo(line, console.width) : line;
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

std::string EntryHeading(const Console& console) { return InColumns(EntryHeadings(), console); }

std::string EntryLine(std::string_view bytes, const Console& console) {
  return InColumns(EntryCells(bytes), console);
}

}  // namespace coffer::cli
