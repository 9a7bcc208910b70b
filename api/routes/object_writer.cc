#include "api/routes/object_writer.h"

#include <nlohmann/json.hpp>

#include "vault/base/strict_json.h"

namespace coffer::api {

using nlohmann::json;
using vault::AppendJsonString;

static std::string Written(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void ObjectWriter::Text(std::string_view name, std::string_view value) {
  AppendJsonString(Start(name), value);
}

void ObjectWriter::Texts(std::string_view name, const std::vector<std::string>& values) {
  std::string& out = Start(name);
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonString(out, values[i]);
  }
  out += ']';
}

void ObjectWriter::Number(std::string_view name, std::uint64_t value) {
  Start(name) += std::to_string(value);
}

void ObjectWriter::Numbers(std::string_view name, const std::vector<std::uint64_t>& values) {
  std::string& out = Start(name);
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(values[i]);
  }
  out += ']';
}

void ObjectWriter::Flag(std::string_view name, bool value) {
  Start(name) += value ? "true" : "false";
}

void ObjectWriter::Time(std::string_view name, audit::Timestamp value) {
  std::string& out = Start(name);
  out += '"';
  out += audit::FormatTimestamp(value);
  out += '"';
}

void ObjectWriter::Raw(std::string_view name, std::string_view value) { Start(name) += value; }

void ObjectWriter::Json(std::string_view name, const json& value) { Start(name) += Written(value); }

void ObjectWriter::Members(const json& object) { RawMembers(Written(object)); }

void ObjectWriter::RawMembers(std::string_view object) {
  object.remove_prefix(1);
  object.remove_suffix(1);
  if (object.empty()) return;
  if (!first_) out_ += ',';
  first_ = false;
  out_ += object;
}

std::string& ObjectWriter::Start(std::string_view name) {
  if (!first_) out_ += ',';
  first_ = false;
  out_ += '"';
  out_ += name;
  out_ += "\":";
  return out_;
}

void PutText(json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}

}  // namespace coffer::api
