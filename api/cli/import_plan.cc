#include "api/cli/import_plan.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "api/cli/blanks.h"
#include "api/cli/json_view.h"
#include "vault/class_schema.h"
#include "vault/strict_json.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr char kListSeparator = ';';
constexpr std::string_view kNotUtf8 = "is not UTF-8 text, or holds U+0000";
constexpr std::size_t kMaxLine = 2 * vault::kMaxDocumentBytes;

CellForm FormOf(std::string_view type) {
  if (type == "integer") return CellForm::kInteger;
  if (type == "boolean") return CellForm::kBoolean;
  if (type == "list") return CellForm::kList;
  return CellForm::kText;
}

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// A header that is one column was probably split at the wrong sign.
std::string DelimiterAdvice(const std::vector<std::string>& header) {
  if (header.size() != 1) return {};
  for (const auto& [sign, option] :
       {std::pair(';', "';'"), {'\t', "tab"}, {'|', "'|'"}, {',', "','"}}) {
    if (header[0].find(sign) == std::string::npos) continue;
    return std::string("\nIt is one column, with ") + option + " in it: try --delimiter " + option +
           ".";
  }
  return " (is --delimiter right?)";
}

// Columns that nothing is mapped to may have any name, or none.
Outcome<std::size_t> FindColumn(const std::vector<std::string>& header, const std::string& name) {
  const auto found = name.empty() ? header.end() : std::ranges::find(header, name);
  if (found == header.end()) {
    return Failed(Exit::kUsage, "the file has no column \"" + name + "\"",
                  "Its columns are: " + Listed(header) + DelimiterAdvice(header));
  }
  if (std::find(found + 1, header.end(), name) != header.end()) {
    return Failed(Exit::kUsage, "the header names the column \"" + name + "\" twice",
                  "Give each column a name of its own.");
  }
  return static_cast<std::size_t>(found - header.begin());
}

Outcome<ImportPlan::Field> PlanField(const std::string& map, const std::vector<std::string>& header,
                                     const ClassShape& shape) {
  const auto equals = map.find('=');
  if (equals == 0 || equals == map.npos) {
    return Failed(Exit::kUsage, "\"--map " + map + "\" is not understood",
                  "Write it as --map field=Column.");
  }
  ImportPlan::Field field;
  field.name = map.substr(0, equals);
  const auto known = shape.find(field.name);
  if (known == shape.end()) {
    std::vector<std::string> names;
    for (const auto& [name, of_field] : shape) names.push_back(name);
    return Failed(Exit::kUsage, "the class has no field \"" + field.name + "\"",
                  "Its fields are: " + Listed(names));
  }
  field.form = FormOf(known->second.type);
  field.keeps_blanks = known->second.type == "text";
  COFFER_ASSIGN(field.column, FindColumn(header, map.substr(equals + 1)));
  return field;
}

Outcome<void> CheckRequired(const std::set<std::string>& mapped, const ClassShape& shape) {
  for (const auto& [name, field] : shape) {
    if (field.required && !mapped.contains(name)) {
      return Failed(Exit::kUsage,
                    "the class requires the field \"" + name + "\", and nothing fills it",
                    "Add --map " + name + "=Column.");
    }
  }
  return {};
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {}, [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  });
}

std::string_view BooleanOf(std::string_view cell) {
  for (const std::string_view yes : {"true", "yes", "1"}) {
    if (EqualsIgnoringCase(cell, yes)) return "true";
  }
  for (const std::string_view no : {"false", "no", "0"}) {
    if (EqualsIgnoringCase(cell, no)) return "false";
  }
  return {};
}

void AppendList(std::string& out, std::string_view cell) {
  out += '[';
  bool first = true;
  while (!cell.empty()) {
    const auto end = std::min(cell.find(kListSeparator), cell.size());
    if (end > 0) {
      if (!first) out += ',';
      first = false;
      vault::AppendJsonString(out, cell.substr(0, end));
    }
    cell.remove_prefix(std::min(end + 1, cell.size()));
  }
  out += ']';
}

// Appends the cell in JSON; what is wrong with it, or nothing.
std::string_view AppendCell(std::string& out, CellForm form, std::string_view cell) {
  switch (form) {
    case CellForm::kText:
      vault::AppendJsonString(out, cell);
      return {};
    case CellForm::kList:
      AppendList(out, cell);
      return {};
    case CellForm::kBoolean: {
      const std::string_view truth = BooleanOf(cell);
      if (truth.empty()) return "must be true or false (yes, no, 1 and 0 are taken too)";
      out += truth;
      return {};
    }
    case CellForm::kInteger: {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
      if (error != std::errc() || end != cell.data() + cell.size()) return "must be an integer";
      out += std::to_string(number);
      return {};
    }
  }
  return {};
}

std::string_view ColumnOf(const ImportPlan& plan, std::string_view field) {
  for (const ImportPlan::Field& planned : plan.fields) {
    if (planned.name == field) return plan.header[planned.column];
  }
  return {};
}

}  // namespace

ClassShape ShapeOf(const json& class_answer) {
  ClassShape shape;
  const json& fields = Member(Member(class_answer, "definition"), "fields");
  if (!fields.is_object()) return shape;
  for (const auto& [name, field] : fields.items()) {
    const json& required = Member(field, "required");
    shape[name] = {Text(field, "type"), required.is_boolean() && required.get<bool>()};
  }
  return shape;
}

Refusal ImportPlan::Locate(std::uint64_t line, std::string_view pointer,
                           std::string message) const {
  static constexpr std::string_view kData = "/data";
  Refusal refusal{line, {}, {}, std::move(message)};
  if (pointer == "/external_ref") {
    refusal.field = "external_ref";
    refusal.column = header[key_column];
  } else if (pointer == "/record_key" && record_key_column) {
    refusal.field = "record_key";
    refusal.column = header[*record_key_column];
  } else {
    if (pointer.starts_with("/data/")) pointer.remove_prefix(kData.size());
    // Behind the field's name stands, in lists, the number of the item.
    if (pointer.starts_with('/')) pointer = pointer.substr(1, pointer.find('/', 1) - 1);
    refusal.field = pointer;
    refusal.column = cli::ColumnOf(*this, pointer);
  }
  return refusal;
}

Outcome<ImportPlan> PlanImport(const MappingOptions& options,
                               const std::vector<std::string>& header, const ClassShape& shape) {
  ImportPlan plan;
  plan.header = header;
  COFFER_ASSIGN(plan.key_column, FindColumn(header, options.key));
  if (!options.record_key.empty()) {
    COFFER_ASSIGN(plan.record_key_column, FindColumn(header, options.record_key));
  }
  std::set<std::string> mapped;
  for (const std::string& map : options.maps) {
    COFFER_ASSIGN(ImportPlan::Field field, PlanField(map, header, shape));
    if (!mapped.insert(field.name).second) {
      return Failed(Exit::kUsage, "the field \"" + field.name + "\" is mapped twice",
                    "Keep one --map for each field.");
    }
    plan.fields.push_back(std::move(field));
  }
  if (options.replace) COFFER_TRY(CheckRequired(mapped, shape));
  return plan;
}

std::expected<std::string, Refusal> BuildLine(const ImportPlan& plan, const CsvRow& row) {
  const auto refuse = [&](std::string_view pointer, std::string_view message) {
    return std::unexpected(plan.Locate(row.line, pointer, std::string(message)));
  };
  if (row.cells.size() != plan.header.size()) {
    return refuse({}, "has " + std::to_string(row.cells.size()) + " columns, the header has " +
                          std::to_string(plan.header.size()));
  }
  const std::string_view key = TrimBlanks(row.cells[plan.key_column]);
  if (key.empty()) return refuse("/external_ref", "is empty");
  if (!vault::IsCleanUtf8(key)) return refuse("/external_ref", kNotUtf8);
  std::string line = "{\"external_ref\":";
  vault::AppendJsonString(line, key);

  if (plan.record_key_column) {
    const std::string_view record_key = TrimBlanks(row.cells[*plan.record_key_column]);
    // An empty one would make the row another record than the one it is.
    if (record_key.empty()) return refuse("/record_key", "is empty");
    if (!vault::IsCleanUtf8(record_key)) return refuse("/record_key", kNotUtf8);
    line += ",\"record_key\":";
    vault::AppendJsonString(line, record_key);
  }

  line += ",\"data\":{";
  bool first = true;
  for (const ImportPlan::Field& field : plan.fields) {
    std::string_view cell = TrimBlanks(row.cells[field.column]);
    if (cell.empty()) continue;
    if (field.keeps_blanks) cell = row.cells[field.column];
    if (!std::exchange(first, false)) line += ',';
    vault::AppendJsonString(line, field.name);
    line += ':';
    const std::string_view fault =
        vault::IsCleanUtf8(cell) ? AppendCell(line, field.form, cell) : kNotUtf8;
    if (!fault.empty()) return refuse("/data/" + field.name, fault);
  }
  line += "}}\n";
  if (line.size() > kMaxLine) return refuse({}, "is larger than a record may be");
  return line;
}

}  // namespace coffer::cli
