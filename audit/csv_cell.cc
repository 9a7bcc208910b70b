#include "audit/csv_cell.h"

#include "audit/internal/visible_text.h"

namespace coffer::audit {
namespace {

// What spreadsheets take for a formula, also behind white space; the last four are the wide forms
// of the first four, which some of them treat alike.
bool StartsFormula(std::string_view text) {
  const auto start = text.find_first_not_of(' ');
  if (start == std::string_view::npos) return false;
  text.remove_prefix(start);
  for (const std::string_view sign :
       {"=", "+", "-", "@", "\t", "\r", "\n", "|", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"}) {
    if (text.starts_with(sign)) return true;
  }
  return false;
}

}  // namespace

void AppendCsvCell(std::string_view text, std::string& out) {
  if (out.ends_with('"')) out.push_back(',');
  out.push_back('"');
  if (StartsFormula(text)) out.push_back('\'');
  for (const char c : VisibleText(text)) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace coffer::audit
