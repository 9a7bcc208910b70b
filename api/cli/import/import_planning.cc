// PlanImport: what the command line and a profile say, held against a header and a class.
#include <algorithm>
#include <set>

#include "api/cli/files/record_tables.h"
#include "api/cli/import/cell_text.h"
#include "api/cli/import/import_plan.h"
#include "api/cli/text/blanks.h"
#include "vault/catalog/class_schema.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kNamesOnScreen = 200;

std::string ListedNames(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesOnScreen); ++i) {
    text += (text.empty() ? "" : ", ") + names[i];
  }
  if (names.size() > kNamesOnScreen) {
    text += " and " + std::to_string(names.size() - kNamesOnScreen) + " more";
  }
  return text;
}

// The names of the columns, unless the first line seems to be a row: then the shapes of its cells.
std::string ShownColumns(const std::vector<std::string>& header) {
  const auto is_value = [](const std::string& name) {
    return name.find('@') != name.npos ||
           std::ranges::count_if(name, [](char c) { return c >= '0' && c <= '9'; }) > 4;
  };
  if (std::ranges::none_of(header, is_value)) return ListedNames(header);
  std::vector<std::string> shapes;
  for (const std::string& name : header) shapes.push_back(ShapeOfCell(name));
  return ListedNames(shapes) +
         "\nThat seems to be a row of the table: its first line must name the columns";
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

// "left=right"; nothing when there is no left.
std::optional<std::pair<std::string, std::string>> SplitAtEquals(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == text.npos) return std::nullopt;
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

class Planner {
 public:
  Planner(const MappingOptions& options, const std::vector<std::string>& header,
          const ClassShape& shape)
      : options_(options), shape_(shape) {
    for (const std::string& name : header) plan_.header.emplace_back(TrimBlanks(name));
    if (options.profile) profile_ = *options.profile;
  }

  Outcome<ImportPlan> Plan() {
    COFFER_TRY(SetContext());
    COFFER_TRY(FindKeys());
    COFFER_TRY(AddMaps());
    COFFER_TRY(AddProfileFields());
    COFFER_TRY(AddByName());
    if (plan_.fields.empty()) {
      return Failed(Exit::kUsage, "no column of the file fills a field of the class",
                    "Its columns are: " + ShownColumns(plan_.header) +
                        DelimiterAdvice(plan_.header) + "\nFill fields with --map field=Column.");
    }
    if (options_.replace) COFFER_TRY(CheckRequired());
    COFFER_TRY(NameDateFormats());
    COFFER_TRY(NameSeparators());
    LinkFields();
    ListUnmapped();
    for (const auto& [name, field] : shape_) {
      if (field.required && Find(name) == nullptr) plan_.unfilled_required.push_back(name);
    }
    plan_.empty_words = profile_.empty;
    plan_.footer = profile_.footer;
    plan_.strict = options_.strict;
    return std::move(plan_);
  }

 private:
  Outcome<std::size_t> FindColumn(const std::string& name) const;
  std::optional<std::size_t> ProfileColumn(const std::string& name) const;
  std::vector<std::size_t> ProfileColumns(const std::vector<std::string>& names) const;
  std::optional<ImportPlan::Source> Resolve(const ColumnSource& source) const;
  Outcome<void> SetContext();
  Outcome<void> FindKeys();
  Outcome<void> FindProfileKey(const ColumnSource& source, const char* what,
                               std::optional<ImportPlan::Source>& into, std::size_t& column) const;
  Outcome<void> AddMaps();
  Outcome<void> AddProfileFields();
  Outcome<void> AddByName();
  Outcome<void> CheckOptions(const std::string& name, const ProfileField& given) const;
  Outcome<CellRules> RulesOf(const std::string& field, const CellOptions& own) const;
  Outcome<void> AddFormats(const std::vector<std::string>& texts, std::vector<DateFormat>& into,
                           const std::string& where) const;
  Outcome<void> CheckRequired() const;
  Outcome<void> NameDateFormats();
  Outcome<void> NameSeparators();
  void LinkFields();
  void ListUnmapped();
  const ImportPlan::Field* Find(const std::string& name) const {
    const auto found = std::ranges::find(plan_.fields, name, &ImportPlan::Field::name);
    return found == plan_.fields.end() ? nullptr : &*found;
  }

  const MappingOptions& options_;
  const ClassShape& shape_;
  ImportProfile profile_;  // empty without one
  DateContext dates_;
  ImportPlan plan_;
};

// Columns that nothing is mapped to may have any name, or none.
Outcome<std::size_t> Planner::FindColumn(const std::string& name) const {
  const auto& header = plan_.header;
  const auto found = name.empty() ? header.end() : std::ranges::find(header, TrimBlanks(name));
  if (found == header.end()) {
    return Failed(Exit::kUsage, "the file has no column \"" + name + "\"",
                  "Its columns are: " + ShownColumns(header) + DelimiterAdvice(header));
  }
  if (std::find(found + 1, header.end(), *found) != header.end()) {
    return Failed(Exit::kUsage, "the header names the column \"" + name + "\" twice",
                  "Give each column a name of its own.");
  }
  return static_cast<std::size_t>(found - header.begin());
}

// As it is spelled, or with other capitals when only one is.
std::optional<std::size_t> Planner::ProfileColumn(const std::string& name) const {
  const auto exact = std::ranges::find(plan_.header, name);
  if (exact != plan_.header.end()) return static_cast<std::size_t>(exact - plan_.header.begin());
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < plan_.header.size(); ++i) {
    if (!EqualWithoutCase(plan_.header[i], name)) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

std::vector<std::size_t> Planner::ProfileColumns(const std::vector<std::string>& names) const {
  std::vector<std::size_t> columns;
  for (const std::string& name : names) {
    const auto column = ProfileColumn(name);
    if (column && std::ranges::find(columns, *column) == columns.end()) columns.push_back(*column);
  }
  return columns;
}

// Nothing when the file has none of its columns.
std::optional<ImportPlan::Source> Planner::Resolve(const ColumnSource& source) const {
  ImportPlan::Source resolved{
      {}, source.joined_by, ProfileColumns(source.otherwise), source.separator};
  for (const auto& names : source.parts) {
    auto columns = ProfileColumns(names);
    if (!columns.empty()) resolved.parts.push_back(std::move(columns));
  }
  if (resolved.parts.empty() && resolved.otherwise.empty()) return std::nullopt;
  return resolved;
}

std::size_t FirstColumn(const ImportPlan::Source& source) {
  return source.parts.empty() ? source.otherwise.front() : source.parts.front().front();
}

Outcome<void> Planner::SetContext() {
  dates_.two_digit_years_from =
      options_.two_digit_years_from ? options_.two_digit_years_from : profile_.two_digit_years_from;
  dates_.utc_offset = options_.utc_offset.empty() ? profile_.utc_offset : options_.utc_offset;
  if (!dates_.utc_offset.empty() && !IsUtcOffset(dates_.utc_offset)) {
    return Failed(Exit::kUsage, "\"" + dates_.utc_offset + "\" is no offset from UTC",
                  "Write it as +03:00, -05:00 or Z.");
  }
  return {};
}

Outcome<void> Planner::FindProfileKey(const ColumnSource& source, const char* what,
                                      std::optional<ImportPlan::Source>& into,
                                      std::size_t& column) const {
  into = Resolve(source);
  const bool whole = into && (source.parts.size() < 2 || into->parts.size() == source.parts.size());
  if (!whole) {
    std::vector<std::string> names;
    for (const auto& part : source.parts) names.insert(names.end(), part.begin(), part.end());
    names.insert(names.end(), source.otherwise.begin(), source.otherwise.end());
    return Failed(
        Exit::kUsage, std::string("the file has no column that the profile takes for the ") + what,
        "It looks for: " + ListedNames(names) + ". The file's columns are: " +
            ShownColumns(plan_.header) + ". --key names another." + DelimiterAdvice(plan_.header));
  }
  column = FirstColumn(*into);
  return {};
}

Outcome<void> Planner::FindKeys() {
  if (!options_.key.empty()) {
    COFFER_ASSIGN(plan_.key_column, FindColumn(options_.key));
  } else if (!profile_.key.parts.empty()) {
    COFFER_TRY(
        FindProfileKey(profile_.key, "client's reference", plan_.key_source, plan_.key_column));
  } else {
    return Failed(Exit::kUsage, "nothing says which column has the client's reference",
                  "Name it with --key COLUMN.");
  }
  if (!options_.record_key.empty()) {
    COFFER_ASSIGN(plan_.record_key_column, FindColumn(options_.record_key));
  } else if (!profile_.record_key.parts.empty()) {
    COFFER_TRY(FindProfileKey(profile_.record_key, "record's key", plan_.record_key_source,
                              plan_.record_key_column.emplace()));
  }
  return {};
}

Outcome<void> Planner::AddFormats(const std::vector<std::string>& texts,
                                  std::vector<DateFormat>& into, const std::string& where) const {
  for (const std::string& text : texts) {
    if (const auto fault = DateFormat::Fault(text, dates_); !fault.empty()) {
      return Failed(Exit::kUsage, "\"" + text + "\" is no form of a date" + where + ": " + fault,
                    "Forms are made of YYYY, MM, M, DD, D, hh, mm, ss and zz, as in DD.MM.YYYY; or "
                    "unix-s, unix-ms.");
    }
    into.emplace_back(text);
  }
  return {};
}

Outcome<CellRules> Planner::RulesOf(const std::string& field, const CellOptions& own) const {
  const FieldShape& shape = shape_.at(field);
  const CellOptions& general = profile_.cells;
  CellRules rules;
  const auto type = vault::FieldTypeFromName(shape.type);
  rules.field.name = field;
  // What a newer vault knows and this tool does not goes as text, for the vault to judge.
  rules.field.type = type.value_or(vault::FieldType::kText);
  rules.field.required = shape.required;
  rules.field.max_length = shape.max_length;
  rules.field.values = shape.values;
  rules.field.region = shape.region;
  rules.line_joint = own.line_joint ? own.line_joint : general.line_joint;
  if (options_.join_lines && !rules.line_joint) rules.line_joint = ", ";
  rules.dates = dates_;
  COFFER_TRY(AddFormats(own.date_formats.empty() ? general.date_formats : own.date_formats,
                        rules.date_formats, " of the profile"));
  rules.decimal_comma = own.decimal_comma.value_or(general.decimal_comma.value_or(false));
  if (!options_.decimal.empty()) rules.decimal_comma = options_.decimal == ",";
  rules.yes = own.yes.empty() ? general.yes : own.yes;
  rules.no = own.no.empty() ? general.no : own.no;
  rules.yes.insert(rules.yes.end(), options_.yes.begin(), options_.yes.end());
  rules.no.insert(rules.no.end(), options_.no.begin(), options_.no.end());
  rules.region = own.region.value_or(general.region.value_or(""));
  if (!options_.region.empty()) rules.region = options_.region;
  return rules;
}

Outcome<void> Planner::AddMaps() {
  for (const std::string& map : options_.maps) {
    const auto named = SplitAtEquals(map);
    if (!named) {
      return Failed(Exit::kUsage, "\"--map " + map + "\" is not understood",
                    "Write it as --map field=Column.");
    }
    ImportPlan::Field field{.name = named->first};
    if (!shape_.contains(field.name)) {
      std::vector<std::string> names;
      for (const auto& [name, of_field] : shape_) names.push_back(name);
      return Failed(Exit::kUsage, "the class has no field \"" + field.name + "\"",
                    "Its fields are: " + ListedNames(names));
    }
    if (Find(field.name) != nullptr) {
      return Failed(Exit::kUsage, "the field \"" + field.name + "\" is mapped twice",
                    "Keep one --map for each field.");
    }
    COFFER_ASSIGN(field.column, FindColumn(named->second));
    const auto in_profile = profile_.fields.find(field.name);
    COFFER_ASSIGN(field.rules, RulesOf(field.name, in_profile == profile_.fields.end()
                                                       ? CellOptions()
                                                       : in_profile->second.cells));
    if (in_profile != profile_.fields.end()) field.rules.values = in_profile->second.values;
    plan_.fields.push_back(std::move(field));
  }
  return {};
}

// What would change nothing was meant for another field.
Outcome<void> Planner::CheckOptions(const std::string& name, const ProfileField& given) const {
  const auto type = vault::FieldTypeFromName(shape_.at(name).type);
  const auto wrong = [&](const char* member, const char* of) {
    return Failed(Exit::kUsage, "the profile's \"fields." + name + "." + member +
                                    "\" is for fields of the type " + of + ", and the class's \"" +
                                    name + "\" is none");
  };
  if (!given.values.empty() && type != vault::FieldType::kChoice) return wrong("values", "choice");
  if (given.takes_list && type != vault::FieldType::kList) return wrong("take", "list");
  if (!given.cells.date_formats.empty() && type != vault::FieldType::kDate &&
      type != vault::FieldType::kDateTime) {
    return wrong("date_formats", "date or datetime");
  }
  return {};
}

Outcome<void> Planner::AddProfileFields() {
  std::set<std::string> fed;  // by another field's other values
  for (const auto& [name, given] : profile_.fields) fed.insert(given.others_to);
  for (const auto& [name, given] : profile_.fields) {
    if (Find(name) != nullptr) continue;
    if (!shape_.contains(name)) {
      return Failed(Exit::kUsage,
                    "the profile fills the field \"" + name + "\", which the class does not have",
                    "Copy the profile, take the field out, and name the copy's path.");
    }
    COFFER_TRY(CheckOptions(name, given));
    auto source = Resolve(given.source);
    if (!source && !fed.contains(name)) continue;
    ImportPlan::Field field{.name = name};
    COFFER_ASSIGN(field.rules, RulesOf(name, given.cells));
    field.rules.values = given.values;
    field.takes_list = given.takes_list;
    if (given.takes_list) field.rules.list_separator = given.source.separator;
    if (source) {
      field.column = FirstColumn(*source);
      const bool plain = source->parts.size() == 1 && source->parts[0].size() == 1 &&
                         source->otherwise.empty() && given.unless_taken_by.empty() &&
                         (given.source.separator.empty() || given.takes_list);
      if (!plain) field.source = std::move(source);
    } else {
      field.source.emplace();
    }
    plan_.fields.push_back(std::move(field));
  }
  return {};
}

// Tables of the vault's own have a column for each field; see record_tables.h for "data.".
Outcome<void> Planner::AddByName() {
  for (const auto& [name, of_field] : shape_) {
    if (!options_.by_name || Find(name) != nullptr) continue;
    const bool apart = std::ranges::find(plan_.header, "data." + name) != plan_.header.end();
    const std::string column = apart ? "data." + name : name;
    if (!apart && IsRecordColumn(name)) continue;
    if (!apart && std::ranges::find(plan_.header, name) == plan_.header.end()) continue;
    ImportPlan::Field field{.name = name};
    COFFER_ASSIGN(field.column, FindColumn(column));
    COFFER_ASSIGN(field.rules, RulesOf(name, {}));
    plan_.fields.push_back(std::move(field));
  }
  return {};
}

Outcome<void> Planner::CheckRequired() const {
  for (const auto& [name, field] : shape_) {
    if (field.required && Find(name) == nullptr) {
      return Failed(Exit::kUsage,
                    "the class requires the field \"" + name + "\", and nothing fills it",
                    "Add --map " + name + "=Column.");
    }
  }
  return {};
}

bool IsOfDays(const ImportPlan::Field& field) {
  return field.rules.field.type == vault::FieldType::kDate ||
         field.rules.field.type == vault::FieldType::kDateTime;
}

bool TakesFrom(const ImportPlan::Field& field, std::size_t column) {
  if (!field.source) return field.column == column;
  for (const auto& part : field.source->parts) {
    if (std::ranges::find(part, column) != part.end()) return true;
  }
  return std::ranges::find(field.source->otherwise, column) != field.source->otherwise.end();
}

// A form for one column comes before those for all; both before those of the profile.
Outcome<void> Planner::NameDateFormats() {
  std::vector<DateFormat> for_all;
  for (const std::string& text : options_.date_formats) {
    const auto named = SplitAtEquals(text);
    if (!named) {
      COFFER_TRY(AddFormats({text}, for_all, ""));
      continue;
    }
    COFFER_ASSIGN(const std::size_t column, FindColumn(named->first));
    std::vector<DateFormat> format;
    COFFER_TRY(AddFormats({named->second}, format, ""));
    bool used = false;
    for (ImportPlan::Field& field : plan_.fields) {
      if (!IsOfDays(field) || !TakesFrom(field, column)) continue;
      field.rules.date_formats = format;
      used = true;
    }
    if (!used) {
      return Failed(Exit::kUsage, "--date-format names the column \"" + named->first +
                                      "\", from which no field for a day or a time is filled");
    }
  }
  if (for_all.empty()) return {};
  for (ImportPlan::Field& field : plan_.fields) {
    const bool has_own = std::ranges::any_of(options_.date_formats, [&](const std::string& text) {
      const auto named = SplitAtEquals(text);
      const auto column = named ? FindColumn(named->first) : Outcome<std::size_t>(std::size_t{0});
      return named && column && TakesFrom(field, *column);
    });
    if (IsOfDays(field) && !has_own) field.rules.date_formats = for_all;
  }
  return {};
}

Outcome<void> Planner::NameSeparators() {
  for (const std::string& split : options_.splits) {
    const auto named = SplitAtEquals(split);
    const ImportPlan::Field* found = named ? Find(named->first) : nullptr;
    if (found == nullptr || named->second.empty() ||
        found->rules.field.type != vault::FieldType::kList) {
      return Failed(Exit::kUsage, "\"--split " + split + "\" fits no list that is filled",
                    "Write it as --split field=SEPARATOR, of a field of the type list.");
    }
    auto& field = plan_.fields[static_cast<std::size_t>(found - plan_.fields.data())];
    field.rules.list_separator = named->second;
  }
  return {};
}

void Planner::LinkFields() {
  const auto place = [&](const std::string& name) -> std::optional<std::size_t> {
    const ImportPlan::Field* field = name.empty() ? nullptr : Find(name);
    if (field == nullptr) return std::nullopt;
    return static_cast<std::size_t>(field - plan_.fields.data());
  };
  for (ImportPlan::Field& field : plan_.fields) {
    const auto given = profile_.fields.find(field.name);
    if (given == profile_.fields.end() || !field.source) continue;
    field.others_to = place(given->second.others_to);
    field.unless_taken_by = place(given->second.unless_taken_by);
  }
}

void Planner::ListUnmapped() {
  std::set<std::size_t> used;
  const auto use = [&](const std::optional<ImportPlan::Source>& source, std::size_t only) {
    if (!source) {
      used.insert(only);
      return;
    }
    for (const auto& part : source->parts) used.insert(part.begin(), part.end());
  };
  use(plan_.key_source, plan_.key_column);
  if (plan_.record_key_column) use(plan_.record_key_source, *plan_.record_key_column);
  for (const ImportPlan::Field& field : plan_.fields) use(field.source, field.column);
  for (std::size_t i = 0; i < plan_.header.size(); ++i) {
    if (!used.contains(i) && !plan_.header[i].empty()) plan_.unmapped.push_back(plan_.header[i]);
  }
}

}  // namespace

Outcome<ImportPlan> PlanImport(const MappingOptions& options,
                               const std::vector<std::string>& header, const ClassShape& shape) {
  return Planner(options, header, shape).Plan();
}

}  // namespace coffer::cli
