#include "api/http/input.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/http/problem.h"
#include "api/http/query.h"
#include "vault/base/strict_json.h"

namespace coffer::api {

using nlohmann::json;

Result<std::uint64_t> ParseDecimal(std::string_view text, std::uint64_t most) {
  const auto wrong = [] { return Fail(Code::kInvalidArgument, "parameter_invalid"); };
  if (text.empty() || text.size() > 19 || (text.size() > 1 && text[0] == '0')) return wrong();
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return wrong();
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > most) return wrong();
  return value;
}

std::unexpected<Error> Input::Refuse(Error error) {
  return std::unexpected(service_.vault.operations().Refuse(call_.caller, action_, client_, record_,
                                                            std::move(error)));
}

Result<vault::ClientId> Input::Client() {
  auto id = vault::ClientId::Parse(call_.segments[0]);
  if (!id) return Refuse(id.error());
  client_ = *id;
  return id;
}

Result<vault::RecordId> Input::Record() {
  auto id = vault::RecordId::Parse(call_.segments[1]);
  if (!id) return Refuse(id.error());
  record_ = *id;
  return id;
}

Result<json> Input::Object(std::initializer_list<std::string_view> members) {
  if (call_.body.empty()) return Refuse({Code::kInvalidArgument, "body_required", {}, {}});
  auto parsed = vault::ParseStrictJson(call_.body);
  if (!parsed) return Refuse(parsed.error());
  std::vector<Issue> issues;
  if (!parsed->is_object()) {
    issues.push_back({"", "must be an object"});
  } else {
    for (const auto& [name, value] : parsed->items()) {
      if (issues.size() > kMaxIssues) break;
      if (std::ranges::find(members, name) == members.end()) {
        issues.push_back({vault::PointerTo("", name), "is not a known member"});
      }
    }
  }
  if (!issues.empty())
    return Refuse({Code::kUnprocessable, "request_invalid", {}, std::move(issues)});
  return parsed;
}

Result<std::string> Input::Text(const json& object, const char* name, bool required,
                                std::size_t most) {
  if (!required && !object.contains(name)) return std::string();
  COFFER_ASSIGN(auto text, AnyText(object, name, most));
  if (IsBlank(text)) return Invalid(vault::PointerTo("", name), "must not be empty");
  return text;
}

Result<std::string> Input::AnyText(const json& object, const char* name, std::size_t most) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) {
    return Invalid(vault::PointerTo("", name),
                   found == object.end() ? "is required" : "must be text");
  }
  if (found->get_ref<const std::string&>().size() > most) {
    return Invalid(vault::PointerTo("", name),
                   "must have at most " + std::to_string(most) + " bytes");
  }
  return found->get<std::string>();
}

Result<std::optional<std::uint64_t>> Input::Number(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  if (!found->is_number_unsigned()) {
    return Refuse({Code::kUnprocessable,
                   "request_invalid",
                   {},
                   {{vault::PointerTo("", name), "must be a whole number, not negative"}}});
  }
  return found->get<std::uint64_t>();
}

std::unexpected<Error> Input::InvalidParameter(std::string_view name, std::string message) {
  return Refuse({Code::kInvalidArgument,
                 "parameter_invalid",
                 {},
                 {{"query:" + std::string(name), std::move(message)}}});
}

std::unexpected<Error> Input::Invalid(std::string pointer, std::string message) {
  return Refuse(
      {Code::kUnprocessable, "request_invalid", {}, {{std::move(pointer), std::move(message)}}});
}

Result<std::optional<audit::Timestamp>> Input::Time(const json& object, const char* name) {
  COFFER_ASSIGN(const auto text, Text(object, name, false));
  if (text.empty()) return std::nullopt;
  const auto time = audit::ParseTimestamp(text, true);
  if (!time) return Invalid(std::string("/") + name, "must be an RFC 3339 date-time");
  return *time;
}

Result<bool> Input::Flag(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return false;
  if (!found->is_boolean()) return Invalid(std::string("/") + name, "must be true or false");
  return found->get<bool>();
}

Result<std::vector<std::string>> Input::Texts(const json& object, const char* name, bool required) {
  const auto found = object.find(name);
  std::vector<std::string> texts;
  if (found == object.end() && !required) return texts;
  const bool listed = found != object.end() && found->is_array() && found->size() <= kMaxTexts;
  for (std::size_t i = 0; listed && i < found->size(); ++i) {
    if ((*found)[i].is_string()) texts.push_back((*found)[i].get<std::string>());
  }
  if (!listed || texts.size() != found->size()) {
    return Invalid(std::string("/") + name, "must be a list of texts");
  }
  if (texts.empty() && !required) return Invalid(std::string("/") + name, "must not be empty");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool too_long = texts[i].size() > kMaxText;
    if (!too_long && !IsBlank(texts[i])) continue;
    return Invalid("/" + std::string(name) + "/" + std::to_string(i),
                   too_long ? "must have at most " + std::to_string(kMaxText) + " bytes"
                            : "must not be empty");
  }
  return texts;
}

Result<std::int64_t> Input::Seconds(const json& object, const char* name, std::int64_t otherwise) {
  COFFER_ASSIGN(const auto given, Number(object, name));
  if (!given && otherwise == 0) return Invalid(std::string("/") + name, "is required");
  if (!given) return otherwise;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(*given, 1U << 30));
}

Result<vault::PrincipalId> Input::Principal(const json& object, const char* name) {
  COFFER_ASSIGN(const auto text, Text(object, name, true));
  const auto id = vault::PrincipalId::Parse(text);
  if (!id) return Invalid(std::string("/") + name, "is not the id of a principal");
  return *id;
}

Result<std::optional<vault::ClientId>> Input::ClientIn(const json& object, bool required) {
  COFFER_ASSIGN(const auto text, Text(object, "client", required));
  if (text.empty() && !required) return std::nullopt;
  const auto id = vault::ClientId::Parse(text);
  if (!id) return Invalid("/client", "is not the id of a client");
  return *id;
}

Result<std::optional<std::uint64_t>> Input::QueryNumber(std::string_view name, std::uint64_t most) {
  const std::string_view text = call_.Query(name);
  if (text.empty()) return std::nullopt;
  auto value = ParseDecimal(text, most);
  if (!value)
    return InvalidParameter(name, "must be a whole number, at most " + std::to_string(most));
  return *value;
}

Result<bool> Input::QueryFlag(std::string_view name) {
  const std::string_view text = call_.Query(name);
  if (text.empty() || text == "false") return false;
  if (text == "true") return true;
  return InvalidParameter(name, "must be true or false");
}

Result<std::optional<audit::Timestamp>> Input::QueryTime(std::string_view name) {
  const std::string_view text = call_.Query(name);
  if (text.empty()) return std::nullopt;
  const auto time = audit::ParseTimestamp(text, true);
  if (!time) return InvalidParameter(name, "must be an RFC 3339 date-time");
  return *time;
}

Result<audit::PageLanguage> Input::Language() {
  const std::string_view name = call_.Query("language");
  if (name.empty()) return audit::PageLanguage::kEnglish;
  if (const auto language = audit::PageLanguageFromName(name)) return *language;
  std::string names;
  for (const std::string& one : audit::PageLanguageNames()) {
    names.append(names.empty() ? "" : ", ").append(one);
  }
  return InvalidParameter("language", "must be one of " + names);
}

Result<vault::PageRequest> Input::Page() {
  vault::PageRequest page;
  COFFER_ASSIGN(const auto limit, QueryNumber("limit", 200));
  if (limit == 0U) return InvalidParameter("limit", "must be at least 1");
  if (limit) page.limit = *limit;
  page.cursor = call_.Query("cursor");
  return page;
}

Result<std::optional<std::uint64_t>> Input::IfMatch(bool required) {
  std::string_view tag = call_.if_match;
  if (tag.empty()) {
    if (required) return Refuse({Code::kPreconditionRequired, "if_match_required", {}, {}});
    return std::nullopt;
  }
  if (tag.size() > 2 && tag.front() == '"' && tag.back() == '"') {
    auto version = ParseDecimal(tag.substr(1, tag.size() - 2), std::uint64_t{1} << 53);
    if (version) return *version;
  }
  return Refuse({Code::kPreconditionFailed, "version_mismatch", {}, {}});
}

}  // namespace coffer::api
