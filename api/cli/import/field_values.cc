#include "api/cli/import/field_values.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "api/cli/files/private_file.h"
#include "vault/base/strict_json.h"
#include "vault/catalog/class_schema.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

bool IsOneOf(std::string text, std::initializer_list<std::string_view> words) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  });
  return std::ranges::find(words, std::string_view(text)) != words.end();
}

Outcome<json> ValueOf(const std::string& field, std::string_view type, const std::string& text) {
  const auto wrong = [&](const std::string& rule) {
    return Failed(Exit::kUsage, "the value of " + field + " " + rule);
  };
  if (!vault::IsCleanUtf8(text)) return wrong("is not UTF-8 text");
  if (type == "integer") {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
      return wrong("must be an integer");
    return number;
  }
  if (type == "boolean") {
    if (IsOneOf(text, {"true", "yes", "1"})) return true;
    if (IsOneOf(text, {"false", "no", "0"})) return false;
    return wrong("must be true or false");
  }
  return text;
}

Outcome<void> CheckField(const std::string& field, const ClassShape& shape) {
  if (shape.contains(field)) return {};
  std::string names;
  for (const auto& [name, of_field] : shape) names += (names.empty() ? "" : ", ") + name;
  return Failed(Exit::kUsage, "the class has no field \"" + field + "\"",
                "Its fields are: " + names);
}

Outcome<json> ReadObject(const std::string& file) {
  COFFER_ASSIGN(const std::string text, ReadInputFile(file, vault::kMaxDocumentBytes));
  auto value = vault::ParseStrictJson(text);
  if (!value) {
    return std::unexpected(
        Failure{Exit::kUsage, FailureOf(value.error(), file + " is not usable JSON").message, {}});
  }
  if (!value->is_object()) {
    return Failed(Exit::kUsage, file + " is not a JSON object", "Write {\"field\": value, ...}.");
  }
  return *std::move(value);
}

}  // namespace

Outcome<json> ReadFields(const FieldOptions& options, const ClassShape& shape) {
  if (options.file.empty() && options.set.empty() && options.unset.empty()) {
    return Failed(Exit::kUsage, "no field was given",
                  "Name a JSON file, - for standard input, or --set FIELD=VALUE.");
  }
  json fields = json::object();
  if (!options.file.empty()) {
    COFFER_ASSIGN(fields, ReadObject(options.file));
  }
  std::set<std::string> given;
  for (const auto& [name, value] : fields.items()) given.insert(name);
  std::set<std::string> lists;  // that --set began
  for (const std::string& set : options.set) {
    const auto equals = set.find('=');
    if (equals == 0 || equals == set.npos) {
      return Failed(Exit::kUsage, "\"--set " + set + "\" is not understood",
                    "Write it as --set field=value.");
    }
    const std::string name = set.substr(0, equals), text = set.substr(equals + 1);
    COFFER_TRY(CheckField(name, shape));
    const std::string& type = shape.find(name)->second.type;
    if (text.empty()) {
      return Failed(Exit::kUsage, "\"--set " + set + "\" gives no value",
                    "--unset " + name + " takes the field away.");
    }
    const bool more = lists.contains(name);
    if (!given.insert(name).second && !more) {
      return Failed(Exit::kUsage, "the field \"" + name + "\" is given twice");
    }
    COFFER_ASSIGN(json value, ValueOf(name, type, text));
    if (type != "list") {
      fields[name] = std::move(value);
      continue;
    }
    lists.insert(name);
    if (!more) fields[name] = json::array();
    fields[name].push_back(std::move(value));
  }
  for (const std::string& name : options.unset) {
    // One that the class has no more may be there yet.
    if (!given.insert(name).second) {
      return Failed(Exit::kUsage, "the field \"" + name + "\" is given twice");
    }
    fields[name] = nullptr;
  }
  return fields;
}

}  // namespace coffer::cli
