#include "audit/text/csv_cell.h"

#include "audit/text/formula_guard.h"
#include "audit/text/visible_text.h"

namespace coffer::audit {

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
