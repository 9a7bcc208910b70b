#include "api/cli/text/table_cell.h"

#include <nlohmann/json.hpp>

#include "api/cli/text/json_view.h"
#include "audit/text/formula_guard.h"

namespace coffer::cli {
namespace {

void AppendQuoted(std::string_view text, bool guarded, std::string& line) {
  if (!line.empty()) line.push_back(',');
  line.push_back('"');
  if (guarded) line.push_back('\'');
  for (const char c : text) {
    if (c == '"') line.push_back('"');
    line.push_back(c);
  }
  line.push_back('"');
}

}  // namespace

void AppendTableCell(const nlohmann::json& value, std::string& line) {
  if (!value.is_string()) return AppendQuoted(TextOf(value), false, line);
  const auto& text = value.get_ref<const std::string&>();
  AppendQuoted(text, audit::NeedsGuard(text), line);
}

void AppendPlainCell(std::string_view text, std::string& line) {
  AppendQuoted(text, !text.empty() && audit::NeedsGuard(text), line);
}

}  // namespace coffer::cli
