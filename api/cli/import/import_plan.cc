#include "api/cli/import/import_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "api/cli/import/cell_text.h"
#include "api/cli/text/blanks.h"
#include "api/cli/text/json_view.h"
#include "audit/text/formula_guard.h"
#include "vault/base/strict_json.h"
#include "vault/catalog/class_schema.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::string_view kNotUtf8 = "is not UTF-8 text, or holds U+0000";
constexpr std::size_t kMaxLine = 2 * vault::kMaxDocumentBytes;

std::string_view ColumnOf(const ImportPlan& plan, std::string_view field) {
  for (const ImportPlan::Field& planned : plan.fields) {
    if (planned.name == field) return plan.header[planned.column];
  }
  return {};
}

std::string_view FieldOfPointer(std::string_view pointer) {
  static constexpr std::string_view kData = "/data";
  if (pointer.starts_with("/data/")) pointer.remove_prefix(kData.size());
  // Behind the field's name stands, in lists, the number of the item.
  if (pointer.starts_with('/')) pointer = pointer.substr(1, pointer.find('/', 1) - 1);
  return pointer;
}

// The value of one field, and where it comes from.
struct Gathered {
  std::string_view cell;  // of the row, or of `made`
  std::string made;       // joined of several cells
  std::size_t column = 0;
  bool is_made = false;

  std::string_view text() const { return is_made ? std::string_view(made) : cell; }
};

bool IsAbsent(const ImportPlan& plan, std::string_view cell) {
  const std::string_view text = TrimBlanks(cell);
  if (text.empty()) return cell.empty() || !cell.starts_with('\'');
  return !plan.empty_words.empty() &&
         std::ranges::find(plan.empty_words, text) != plan.empty_words.end();
}

// The first of `columns` that is there and not empty.
std::optional<std::size_t> FirstFilled(const ImportPlan& plan, const CsvRow& row,
                                       const std::vector<std::size_t>& columns) {
  for (const std::size_t column : columns) {
    if (!IsAbsent(plan, row.cells[column])) return column;
  }
  return std::nullopt;
}

// The first value of a cell with several; the rest of the cell stays in `cell`.
std::string_view TakeFirst(std::string_view& cell, std::string_view separator) {
  while (!cell.empty()) {
    const auto end = std::min(cell.find(separator), cell.size());
    const std::string_view first = TrimBlanks(cell.substr(0, end));
    cell.remove_prefix(std::min(end + separator.size(), cell.size()));
    if (!first.empty()) return first;
  }
  return {};
}

std::string_view WithoutGuard(std::string_view cell) {
  return audit::IsGuarded(cell) ? cell.substr(1) : TrimBlanks(cell);
}

Gathered Gather(const ImportPlan& plan, const ImportPlan::Source& source, const CsvRow& row) {
  Gathered gathered;
  std::size_t filled = 0;
  for (const auto& part : source.parts) {
    const auto column = FirstFilled(plan, row, part);
    if (!column) continue;
    if (++filled == 1) {
      gathered.column = *column;
      gathered.cell = row.cells[*column];
      continue;
    }
    if (filled == 2) gathered.made = WithoutGuard(gathered.cell);
    gathered.is_made = true;
    gathered.made += source.joined_by;
    gathered.made += WithoutGuard(row.cells[*column]);
  }
  // The guards of its parts are off; the conversion takes one off the whole.
  if (gathered.is_made && audit::NeedsGuard(gathered.made)) gathered.made.insert(0, 1, '\'');
  if (filled > 0) return gathered;
  if (const auto column = FirstFilled(plan, row, source.otherwise)) {
    gathered.column = *column;
    gathered.cell = row.cells[*column];
  }
  return gathered;
}

std::string KeyFrom(const ImportPlan& plan, const std::optional<ImportPlan::Source>& source,
                    std::size_t only, const CsvRow& row) {
  if (!source) return std::string(WithoutGuard(row.cells[only]));
  // A key of several columns without one of them would be another's.
  if (source->parts.size() > 1) {
    for (const auto& part : source->parts) {
      if (!FirstFilled(plan, row, part)) return {};
    }
  }
  const Gathered gathered = Gather(plan, *source, row);
  std::string_view text = gathered.text();
  if (!source->separator.empty()) text = TakeFirst(text, source->separator);
  return std::string(WithoutGuard(text));
}

// Builds one row's line.
class LineBuilder {
 public:
  LineBuilder(const ImportPlan& plan, const CsvRow& row, std::vector<Refusal>* left_out,
              std::vector<Refusal>* missing)
      : plan_(plan), row_(row), left_out_(plan.strict ? nullptr : left_out), missing_(missing) {}

  std::expected<std::string, Refusal> Build();

 private:
  std::unexpected<Refusal> Refuse(std::string_view pointer, std::string_view message) const {
    return std::unexpected(plan_.Locate(row_.line, pointer, std::string(message)));
  }
  std::expected<void, Refusal> AddKey(const char* member, std::string_view pointer,
                                      const std::string& key);
  std::expected<void, Refusal> AddFields();
  std::expected<void, Refusal> AddField(const ImportPlan::Field& field, std::string_view cell,
                                        std::size_t column);
  // `has_value`: the field has one all the same, and this is another.
  std::expected<void, Refusal> LeaveOut(const ImportPlan::Field& field, std::size_t column,
                                        std::string_view cell, std::string reason,
                                        bool has_value = false);
  std::expected<void, Refusal> GatherFields();
  std::expected<void, Refusal> SortValues(std::size_t at);
  std::expected<void, Refusal> ListOthers(const ImportPlan::Field& field);

  const ImportPlan& plan_;
  const CsvRow& row_;
  std::vector<Refusal>* left_out_;
  std::vector<Refusal>* missing_;
  std::vector<Gathered> gathered_;
  std::string line_;
  bool first_ = true;
};

std::expected<void, Refusal> LineBuilder::AddKey(const char* member, std::string_view pointer,
                                                 const std::string& key) {
  if (key.empty()) return Refuse(pointer, "is empty");
  if (!vault::IsCleanUtf8(key)) return Refuse(pointer, kNotUtf8);
  if (const auto damage = DamageToKey(key); !damage.empty()) return Refuse(pointer, damage);
  line_ += member;
  vault::AppendJsonString(line_, key);
  return {};
}

std::expected<void, Refusal> LineBuilder::LeaveOut(const ImportPlan::Field& field,
                                                   std::size_t column, std::string_view cell,
                                                   std::string reason, bool has_value) {
  Refusal refusal{row_.line, field.name, plan_.header[column], std::move(reason),
                  ShapeOfCell(TrimBlanks(cell))};
  if (left_out_ == nullptr || (field.rules.field.required && !has_value)) {
    return std::unexpected(std::move(refusal));
  }
  left_out_->push_back(std::move(refusal));
  return {};
}

std::expected<void, Refusal> LineBuilder::AddField(const ImportPlan::Field& field,
                                                   std::string_view cell, std::size_t column) {
  if (cell.empty()) return {};
  const std::size_t before = line_.size();
  if (!first_) line_ += ',';
  vault::AppendJsonString(line_, field.name);
  line_ += ':';
  auto added = IsPrintableAscii(cell) || vault::IsCleanUtf8(cell)
                   ? AppendConverted(field.rules, cell, line_)
                   : std::expected<bool, std::string>(std::unexpected(std::string(kNotUtf8)));
  if (added && *added) {
    first_ = false;
    return {};
  }
  line_.resize(before);
  if (added) return {};
  return LeaveOut(field, column, cell, std::move(added).error());
}

// What is not taken where one cell of several was, or where a cell has more values than the field.
std::expected<void, Refusal> LineBuilder::ListOthers(const ImportPlan::Field& field) {
  for (const auto& part : field.source->parts) {
    std::optional<std::size_t> taken;
    for (const std::size_t column : part) {
      const std::string_view cell = TrimBlanks(row_.cells[column]);
      if (IsAbsent(plan_, cell)) continue;
      if (!taken) {
        taken = column;
      } else if (cell != TrimBlanks(row_.cells[*taken])) {
        COFFER_TRY(LeaveOut(field, column, cell,
                            "was not taken: \"" + plan_.header[*taken] + "\" fills the field",
                            true));
      }
    }
  }
  return {};
}

std::expected<void, Refusal> LineBuilder::SortValues(std::size_t at) {
  const ImportPlan::Field& field = plan_.fields[at];
  Gathered& gathered = gathered_[at];
  if (field.source->separator.empty() || field.takes_list) return {};
  std::string_view rest = gathered.text();
  const std::string_view first = TakeFirst(rest, field.source->separator);
  std::string_view other = TakeFirst(rest, field.source->separator);
  if (other.empty() && first.size() == gathered.text().size()) return {};
  const std::string kept(first);
  if (field.others_to && !other.empty() && gathered_[*field.others_to].text().empty()) {
    Gathered& second = gathered_[*field.others_to];
    second.made = other;
    second.is_made = true;
    second.column = gathered.column;
    other = TakeFirst(rest, field.source->separator);
  }
  while (!other.empty()) {
    COFFER_TRY(
        LeaveOut(field, gathered.column, other, "is one value too many for the field", true));
    other = TakeFirst(rest, field.source->separator);
  }
  gathered.made = kept;
  gathered.is_made = true;
  return {};
}

std::expected<void, Refusal> LineBuilder::GatherFields() {
  gathered_.resize(plan_.fields.size());
  for (std::size_t i = 0; i < plan_.fields.size(); ++i) {
    const ImportPlan::Field& field = plan_.fields[i];
    if (field.source) {
      gathered_[i] = Gather(plan_, *field.source, row_);
    } else {
      gathered_[i].column = field.column;
      if (!IsAbsent(plan_, row_.cells[field.column])) gathered_[i].cell = row_.cells[field.column];
    }
  }
  for (std::size_t i = 0; i < plan_.fields.size(); ++i) {
    const ImportPlan::Field& field = plan_.fields[i];
    if (!field.source) continue;
    COFFER_TRY(ListOthers(field));
    if (field.unless_taken_by) {
      const Gathered& other = gathered_[*field.unless_taken_by];
      if (!gathered_[i].is_made && !other.is_made && !other.cell.empty() &&
          other.column == gathered_[i].column) {
        gathered_[i] = {};
      }
    }
    COFFER_TRY(SortValues(i));
  }
  return {};
}

std::expected<void, Refusal> LineBuilder::AddFields() {
  COFFER_TRY(GatherFields());
  for (std::size_t i = 0; i < plan_.fields.size(); ++i) {
    const ImportPlan::Field& field = plan_.fields[i];
    const std::size_t before = line_.size();
    COFFER_TRY(AddField(field, gathered_[i].text(), gathered_[i].column));
    if (!field.rules.field.required || line_.size() > before) continue;
    if (plan_.check_required) return Refuse("/data/" + field.name, "is required");
    if (missing_ != nullptr) {
      missing_->push_back(
          plan_.Locate(row_.line, "/data/" + field.name,
                       "is required: the row is good only for a record that is there already"));
    }
  }
  return {};
}

std::expected<std::string, Refusal> LineBuilder::Build() {
  if (row_.cells.size() != plan_.header.size()) {
    return Refuse({}, "has " + std::to_string(row_.cells.size()) + " columns, the header has " +
                          std::to_string(plan_.header.size()));
  }
  COFFER_TRY(AddKey("{\"external_ref\":", "/external_ref", KeyOf(plan_, row_)));
  if (plan_.record_key_column) {
    // An empty one would make the row another record than the one it is.
    COFFER_TRY(AddKey(",\"record_key\":", "/record_key", RecordKeyOf(plan_, row_)));
  }
  line_ += ",\"data\":{";
  COFFER_TRY(AddFields());
  line_ += "}}\n";
  if (line_.size() > kMaxLine) return Refuse({}, "is larger than a record may be");
  return std::move(line_);
}

}  // namespace

ClassShape ShapeOf(const json& class_answer) {
  ClassShape shape;
  const json& fields = Member(Member(class_answer, "definition"), "fields");
  if (!fields.is_object()) return shape;
  for (const auto& [name, field] : fields.items()) {
    const json& required = Member(field, "required");
    shape[name] = {Text(field, "type"), required.is_boolean() && required.get<bool>(),
                   Number(field, "max_length").value_or(0), TextList(field, "values"),
                   Text(field, "region")};
  }
  return shape;
}

Refusal ImportPlan::Locate(std::uint64_t line, std::string_view pointer,
                           std::string message) const {
  Refusal refusal{line, {}, {}, std::move(message)};
  if (pointer == "/external_ref") {
    refusal.field = "external_ref";
    refusal.column = header[key_column];
  } else if (pointer == "/record_key" && record_key_column) {
    refusal.field = "record_key";
    refusal.column = header[*record_key_column];
  } else {
    refusal.field = FieldOfPointer(pointer);
    refusal.column = cli::ColumnOf(*this, refusal.field);
  }
  return refusal;
}

const ImportPlan::Field* ImportPlan::OptionalField(std::string_view pointer) const {
  if (strict || !pointer.starts_with("/data/")) return nullptr;
  const auto found = std::ranges::find(fields, FieldOfPointer(pointer), &Field::name);
  return found != fields.end() && !found->rules.field.required ? &*found : nullptr;
}

std::string KeyOf(const ImportPlan& plan, const CsvRow& row) {
  return KeyFrom(plan, plan.key_source, plan.key_column, row);
}

std::string RecordKeyOf(const ImportPlan& plan, const CsvRow& row) {
  if (!plan.record_key_column) return {};
  return KeyFrom(plan, plan.record_key_source, *plan.record_key_column, row);
}

std::expected<std::string, Refusal> BuildLine(const ImportPlan& plan, const CsvRow& row,
                                              std::vector<Refusal>* left_out,
                                              std::vector<Refusal>* missing) {
  return LineBuilder(plan, row, left_out, missing).Build();
}

}  // namespace coffer::cli
