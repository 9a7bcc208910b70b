#include "vault/base/words.h"

#include <nlohmann/json.hpp>

#include "vault/base/strict_json.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTextFaults = 50;
constexpr std::string_view kNoLine = "must be one line without control characters";
constexpr std::string_view kNoLines = "must be lines without control characters";

void AddFaults(const json& value, const std::string& at, const std::string& lines,
               std::vector<Issue>& issues) {
  if (issues.size() >= kMaxTextFaults) return;
  if (value.is_string()) {
    const bool many = !lines.empty() && at == lines;
    const auto form = many ? TextForm::kLines : TextForm::kOneLine;
    if (!audit::IsPlainText(value.get_ref<const std::string&>(), form)) {
      issues.push_back({at, std::string(many ? kNoLines : kNoLine)});
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      AddFaults(value[i], at + "/" + std::to_string(i), lines, issues);
    }
  } else if (value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      // Named by the object: an answer does not repeat what may not stand in a line.
      if (!audit::IsPlainText(name, TextForm::kOneLine)) {
        issues.push_back({at, "has a member with a name that is no line"});
      } else {
        AddFaults(member, PointerTo(at, name), lines, issues);
      }
    }
  }
}

}  // namespace

bool IsWords(std::string_view text, std::size_t most, TextForm form) {
  return text.size() <= most && audit::IsPlainText(text, form) && !audit::IsBlank(text);
}

std::string WordsRule(std::size_t most, TextForm form) {
  return std::string(form == TextForm::kOneLine ? "must be one line" : "must be lines") +
         " of 1 to " + std::to_string(most) + " bytes, not blank, without control characters";
}

std::vector<Issue> FaultsOfTexts(std::string_view text, const std::string& at,
                                 std::string_view lines) {
  std::vector<Issue> issues;
  const auto document = ParseStrictJson(text);
  if (document) AddFaults(*document, at, at + std::string(lines), issues);
  return issues;
}

}  // namespace coffer::vault
