#include "api/cli/import/cell_conversion.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/cli/import/cell_phone.h"
#include "api/cli/import/cell_text.h"
#include "api/cli/text/blanks.h"
#include "audit/text/formula_guard.h"
#include "vault/base/calendar.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

using vault::FieldType;
using Converted = std::expected<bool, std::string>;

std::unexpected<std::string> No(std::string_view reason) {
  return std::unexpected(std::string(reason));
}

Converted AppendText(const CellRules& rules, const std::string& text, std::string& out) {
  if (const auto fault = vault::FaultOfFieldText(rules.field, text); !fault.empty()) {
    return No(fault);
  }
  vault::AppendJsonString(out, text);
  return true;
}

bool IsNumeral(char c) { return c >= '0' && c <= '9'; }

std::string JoinLines(std::string_view text, std::string_view joint) {
  std::string joined;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view line = TrimBlanks(text.substr(0, end));
    if (!line.empty() && !joined.empty()) joined += joint;
    joined += line;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return joined;
}

// What needs no look at its characters: most texts.
bool IsPlainCell(const vault::Field& field, std::string_view cell) {
  const std::size_t limit = field.max_length == 0 ? 1000 : field.max_length;
  return cell.size() <= limit && cell.front() > '\'' && cell.back() > ' ' && IsPrintableAscii(cell);
}

Converted AppendString(const CellRules& rules, std::string_view cell, std::string& out) {
  if (IsPlainCell(rules.field, cell)) {
    vault::AppendJsonString(out, cell);
    return true;
  }
  // The apostrophe protected the rest, blanks at its ends too.
  if (audit::IsGuarded(cell)) return AppendText(rules, std::string(cell.substr(1)), out);
  std::string text(rules.field.type == FieldType::kText ? cell : TrimBlanks(cell));
  if (TrimBlanks(text).empty()) return false;
  if (rules.field.type == FieldType::kString && text.find_first_of("\r\n") != text.npos) {
    if (!rules.line_joint)
      return No("has several lines: --join-lines says what comes between them");
    text = JoinLines(text, *rules.line_joint);
  }
  return AppendText(rules, text, out);
}

// An apostrophe is no part of a number, an address or a day, whoever put it there.
std::string_view WithoutApostrophe(std::string_view cell) {
  cell = TrimBlanks(cell);
  if (cell.starts_with('\'')) cell = TrimBlanks(cell.substr(1));
  return cell;
}

std::string_view FaultOfDigits(std::string_view text, char point) {
  if (IsScientific(text)) return "is in scientific notation: a spreadsheet made that of it";
  const char other = point == '.' ? ',' : '.';
  if (text.starts_with('(') && text.ends_with(')')) {
    return "is in parentheses: write a negative number with '-'";
  }
  bool digits = false;
  for (const char c : text) {
    digits = digits || IsNumeral(c);
    if ((c == ' ' || c == '\'') && digits) return "has thousands separators";
    if ((c & 0x80) != 0 || c == '$')
      return "has a sign or a word beside the number, as of a currency";
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return "has letters in it";
  }
  const bool has_point = text.find(point) != text.npos;
  if (text.find(other) != text.npos && (has_point || text.find(other) != text.rfind(other))) {
    return "has thousands separators";
  }
  if (text.find(other) != text.npos) {
    return point == '.' ? "has a comma: --decimal , says that it is the decimal point"
                        : "has a point, and the decimal point is a comma here";
  }
  return {};
}

// The decimal number with '.', as the vault writes it, or why it is none.
std::expected<std::string, std::string> PlainNumber(const CellRules& rules, std::string_view cell) {
  std::string text = PlainSigns(WithoutApostrophe(cell));
  if (text.starts_with("+-") || text.starts_with("++")) return No("has two signs");
  if (text.starts_with('+')) text.erase(0, 1);
  const char point = rules.decimal_comma ? ',' : '.';
  if (const auto fault = FaultOfDigits(text, point); !fault.empty()) return No(fault);
  std::ranges::replace(text, point, '.');
  return text;
}

Converted AppendInteger(const CellRules& rules, std::string_view cell, std::string& out) {
  auto text = PlainNumber(rules, cell);
  if (!text) return std::unexpected(std::move(text).error());
  // "12.0" is twelve; "12.5" is no whole number.
  const auto point = text->find('.');
  if (point != text->npos && point > 0 && point + 1 < text->size() &&
      text->find_first_not_of('0', point + 1) == text->npos) {
    text->resize(point);
  }
  std::int64_t number = 0;
  const char* const last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, number);
  if (error == std::errc::result_out_of_range) return No("is out of range");
  if (error != std::errc() || end != last) return No("must be an integer");
  if (number > vault::kMaxExactInteger || number < -vault::kMaxExactInteger)
    return No("is out of range");
  out += std::to_string(number);
  return true;
}

Converted AppendDecimal(const CellRules& rules, std::string_view cell, std::string& out) {
  auto text = PlainNumber(rules, cell);
  if (!text) return std::unexpected(std::move(text).error());
  return AppendText(rules, *text, out);
}

bool IsAmong(std::string_view text, const std::vector<std::string>& words) {
  return std::ranges::any_of(words,
                             [&](const std::string& word) { return EqualWithoutCase(text, word); });
}

Converted AppendBoolean(const CellRules& rules, std::string_view cell, std::string& out) {
  static const std::vector<std::string> kYes = {"true", "yes", "1"}, kNo = {"false", "no", "0"};
  const std::string_view text = WithoutApostrophe(cell);
  if (IsAmong(text, rules.yes) || (IsAmong(text, kYes) && !IsAmong(text, rules.no))) {
    out += "true";
  } else if (IsAmong(text, rules.no) || IsAmong(text, kNo)) {
    out += "false";
  } else {
    return No(
        "must be true or false (yes, no, 1 and 0 are taken too; --true and --false name others)");
  }
  return true;
}

Converted AppendDay(const CellRules& rules, std::string_view cell, std::string& out) {
  if (rules.date_formats.empty() && rules.field.type == FieldType::kDate && vault::ParseDay(cell)) {
    vault::AppendJsonString(out, cell);
    return true;
  }
  const std::string text = PlainSigns(WithoutApostrophe(cell));
  DateResult read = rules.field.type == FieldType::kDate
                        ? ReadDate(text, rules.date_formats, rules.dates)
                        : ReadDateTime(text, rules.date_formats, rules.dates);
  if (!read.reason.empty()) return std::unexpected(std::move(read.reason));
  return AppendText(rules, read.value, out);
}

std::string_view FaultOfAddress(std::string_view text) {
  const auto at = text.find('@');
  if (at == text.npos) return "has no @";
  if (text.find_first_of("<>") != text.npos) return "has a name beside the address";
  if (text.find_first_of(",;") != text.npos || text.find(":::") != text.npos) {
    return "holds several addresses";
  }
  if (text.find_first_of(" \t\r\n") != text.npos) return "has a blank in it";
  if (text.find('@', at + 1) != text.npos) return "has more than one @";
  return {};
}

Converted AppendEmail(const CellRules& rules, std::string_view cell, std::string& out) {
  static constexpr std::string_view kScheme = "mailto:";
  std::string_view text = WithoutApostrophe(cell);
  if (text.size() > kScheme.size() && text[kScheme.size() - 1] == ':' &&
      EqualWithoutCase(text.substr(0, kScheme.size()), kScheme)) {
    text.remove_prefix(kScheme.size());
  }
  const std::string address(TrimBlanks(WithoutUnseen(text)));
  if (address.empty()) return false;
  if (const auto fault = FaultOfAddress(address); !fault.empty()) return No(fault);
  return AppendText(rules, address, out);
}

Converted AppendPhone(const CellRules& rules, std::string_view cell, std::string& out) {
  PhoneReading read = ReadPhone(WithoutApostrophe(cell), rules.region);
  if (!read.reason.empty()) return std::unexpected(std::move(read.reason));
  if (read.number.empty()) return false;
  return AppendText(rules, read.number, out);
}

Converted AppendChoice(const CellRules& rules, std::string_view cell, std::string& out) {
  const std::string text(audit::IsGuarded(cell) ? cell.substr(1) : TrimBlanks(cell));
  if (const auto named = rules.values.find(text); named != rules.values.end()) {
    if (named->second.empty()) return false;
    return AppendText(rules, named->second, out);
  }
  if (vault::FaultOfFieldText(rules.field, text).empty()) return AppendText(rules, text, out);
  std::string values;
  for (const std::string& value : rules.field.values) {
    values += (values.empty() ? "" : ", ") + value;
  }
  return No("must be one of the class's values: " + values);
}

// A JSON array of texts, as the vault's own tables have them; nothing for any other cell.
std::optional<std::vector<std::string>> ListInJson(std::string_view cell) {
  if (!cell.starts_with('[') || !cell.ends_with(']')) return std::nullopt;
  const auto list = vault::ParseStrictJson(cell);
  if (!list || !list->is_array()) return std::nullopt;
  std::vector<std::string> items;
  for (const auto& item : *list) {
    if (!item.is_string()) return std::nullopt;
    items.push_back(item.get<std::string>());
  }
  return items;
}

std::vector<std::string> SplitList(std::string_view cell, std::string_view separator) {
  std::vector<std::string> items;
  while (!cell.empty()) {
    const auto end = std::min(cell.find(separator), cell.size());
    if (const auto item = TrimBlanks(cell.substr(0, end)); !item.empty()) items.emplace_back(item);
    cell.remove_prefix(std::min(end + separator.size(), cell.size()));
  }
  return items;
}

Converted AppendList(const CellRules& rules, std::string_view cell, std::string& out) {
  const auto written = ListInJson(TrimBlanks(cell));
  if (audit::IsGuarded(cell)) cell.remove_prefix(1);
  const auto items = written ? *written : SplitList(cell, rules.list_separator);
  if (items.empty() && !written) return false;
  if (items.size() > vault::kMaxListItems) return No("must be a list of at most 100 texts");
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ',';
    const auto item = AppendText(rules, items[i], out);
    if (!item) return item;
  }
  out += ']';
  return true;
}

}  // namespace

Converted AppendConverted(const CellRules& rules, std::string_view cell, std::string& out) {
  if (cell.empty()) return false;
  const FieldType type = rules.field.type;
  if (type == FieldType::kString || type == FieldType::kText) return AppendString(rules, cell, out);
  if (WithoutApostrophe(cell).empty()) return false;
  switch (type) {
    case FieldType::kString:
    case FieldType::kText:
      break;
    case FieldType::kInteger:
      return AppendInteger(rules, cell, out);
    case FieldType::kDecimal:
      return AppendDecimal(rules, cell, out);
    case FieldType::kBoolean:
      return AppendBoolean(rules, cell, out);
    case FieldType::kDate:
    case FieldType::kDateTime:
      return AppendDay(rules, cell, out);
    case FieldType::kEmail:
      return AppendEmail(rules, cell, out);
    case FieldType::kPhone:
      return AppendPhone(rules, cell, out);
    case FieldType::kChoice:
      return AppendChoice(rules, cell, out);
    case FieldType::kList:
      return AppendList(rules, cell, out);
  }
  return false;
}

std::string_view DamageToKey(std::string_view key) {
  if (!IsScientific(key)) return {};
  return "is in scientific notation: a spreadsheet made that of a longer number";
}

}  // namespace coffer::cli
