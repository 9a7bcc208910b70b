#include "audit/documents/canonical_json.h"

#include <limits>

#include "audit/entries/entry_limits.h"
#include "audit/text/decimal.h"
#include "audit/text/hash_text.h"
#include "audit/text/json_string.h"

namespace coffer::audit {
namespace {

constexpr std::size_t kWholeText = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kHashDigits = 64;

}  // namespace

CanonicalWriter& CanonicalWriter::Raw(std::string_view text) {
  if (!out_.empty() && std::string_view("{[:").find(out_.back()) == std::string_view::npos) {
    out_.push_back(',');
  }
  out_.append(text);
  return *this;
}

CanonicalWriter& CanonicalWriter::Open() { return Raw("{"); }

CanonicalWriter& CanonicalWriter::Close() {
  out_.push_back('}');
  return *this;
}

CanonicalWriter& CanonicalWriter::Member(std::string_view name) {
  String(name);
  out_.push_back(':');
  return *this;
}

CanonicalWriter& CanonicalWriter::String(std::string_view value) {
  Raw("");
  AppendJsonString(value, kWholeText, out_);
  return *this;
}

CanonicalWriter& CanonicalWriter::Text(std::string_view name, std::string_view value) {
  return Member(name).String(value);
}

CanonicalWriter& CanonicalWriter::OptionalText(std::string_view name, std::string_view value) {
  return value.empty() ? *this : Text(name, value);
}

CanonicalWriter& CanonicalWriter::Number(std::string_view name, std::uint64_t value) {
  Member(name);
  AppendDecimal(value, out_);
  return *this;
}

CanonicalWriter& CanonicalWriter::OptionalNumber(std::string_view name,
                                                 std::optional<std::uint64_t> value) {
  return value ? Number(name, *value) : *this;
}

CanonicalWriter& CanonicalWriter::Boolean(std::string_view name, bool value) {
  return Json(name, value ? "true" : "false");
}

CanonicalWriter& CanonicalWriter::Hex(std::string_view name, const crypto::Hash& value) {
  Member(name);
  out_.push_back('"');
  AppendHex(value, out_);
  out_.push_back('"');
  return *this;
}

CanonicalWriter& CanonicalWriter::Time(std::string_view name, Timestamp value) {
  return Text(name, FormatTimestamp(value));
}

CanonicalWriter& CanonicalWriter::OptionalTime(std::string_view name,
                                               std::optional<Timestamp> value) {
  return value ? Time(name, *value) : *this;
}

CanonicalWriter& CanonicalWriter::Json(std::string_view name, std::string_view canonical) {
  return Member(name).Raw(canonical);
}

bool CanonicalReader::Take(std::string_view literal) {
  if (!rest_.starts_with(literal)) return false;
  rest_.remove_prefix(literal.size());
  return true;
}

bool CanonicalReader::Ended() {
  first_ = false;
  return true;
}

bool CanonicalReader::Open() {
  first_ = true;
  return Take("{");
}

bool CanonicalReader::Close() { return Take("}") && Ended(); }

bool CanonicalReader::Member(std::string_view name) {
  std::string literal = first_ ? "\"" : ",\"";
  literal.append(name).append("\":");
  return Take(literal);
}

bool CanonicalReader::AnyMember(std::string& name) {
  return (first_ || Take(",")) && String(name) && Take(":");
}

bool CanonicalReader::String(std::string& out) {
  if (!Take("\"")) return false;
  const auto read = ReadJsonString(rest_, out);
  if (!read) return false;
  rest_.remove_prefix(*read);
  return Ended();
}

bool CanonicalReader::Text(std::string_view name, std::string& out) {
  return Member(name) && String(out);
}

bool CanonicalReader::Number(std::string_view name, std::uint64_t& out) {
  if (!Member(name)) return false;
  const auto digits = rest_.substr(0, rest_.find_first_not_of("0123456789"));
  const auto value = ParseDecimal(digits);
  if (!value || *value > kMaxNumber) return false;
  out = *value;
  rest_.remove_prefix(digits.size());
  return Ended();
}

bool CanonicalReader::Boolean(std::string_view name, bool& out) {
  if (!Member(name)) return false;
  out = Take("true");
  return (out || Take("false")) && Ended();
}

bool CanonicalReader::Hex(std::string_view name, crypto::Hash& out) {
  if (!Member(name) || !Take("\"") || !ParseHex(rest_.substr(0, kHashDigits), out)) return false;
  rest_.remove_prefix(kHashDigits);
  return Take("\"") && Ended();
}

bool CanonicalReader::Time(std::string_view name, Timestamp& out) {
  std::string text;
  if (!Text(name, text)) return false;
  const auto time = ParseTimestamp(text);
  if (time) out = *time;
  return time.has_value();
}

bool CanonicalReader::OptionalText(std::string_view name, std::string& out) {
  return !Member(name) || String(out);
}

bool CanonicalReader::OptionalNumber(std::string_view name, std::optional<std::uint64_t>& out) {
  const CanonicalReader before = *this;
  if (!Member(name)) return true;
  *this = before;
  return Number(name, out.emplace());
}

bool CanonicalReader::OptionalTime(std::string_view name, std::optional<Timestamp>& out) {
  const CanonicalReader before = *this;
  if (!Member(name)) return true;
  *this = before;
  return Time(name, out.emplace());
}

bool CanonicalReader::Constant(std::string_view name, std::string_view value) {
  std::string text;
  return Text(name, text) && text == value;
}

}  // namespace coffer::audit
