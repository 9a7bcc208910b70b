#include "vault/catalog/purpose.h"

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>

#include "vault/base/names.h"
#include "vault/base/strict_json.h"

namespace coffer::vault {

namespace {

constexpr std::size_t kMaxPurposeClasses = 100;

std::vector<std::string> ClassesOf(const nlohmann::json& value, std::vector<Issue>& issues) {
  std::vector<std::string> classes;
  bool fits = value.is_array() && !value.empty() && value.size() <= kMaxPurposeClasses;
  for (std::size_t i = 0; fits && i < value.size(); ++i) {
    fits = value[i].is_string() && IsName(value[i].get_ref<const std::string&>(), '-');
    if (fits) classes.push_back(value[i].get<std::string>());
  }
  if (!fits) issues.push_back({"/classes", "must be a list of 1 to 100 names of classes"});
  std::ranges::sort(classes);
  const auto repeated = std::ranges::unique(classes);
  classes.erase(repeated.begin(), repeated.end());
  return classes;
}

}  // namespace

bool IsLegalBasis(std::string_view text) {
  return std::ranges::find(kLegalBases, text) != std::end(kLegalBases);
}

bool IsPurposeCode(std::string_view code) { return IsName(code, '-'); }

bool Purpose::MayTouch(std::string_view class_name) const {
  return classes.empty() || std::ranges::binary_search(classes, class_name, std::less<>());
}

Result<Purpose> ParsePurpose(std::string_view code, std::string_view text) {
  std::vector<Issue> issues;
  Purpose purpose;
  purpose.code = code;
  if (!IsPurposeCode(code)) {
    issues.push_back({"", "the code must be 1 to 64 of a-z, 0-9 and '-', beginning with a letter"});
  }
  COFFER_ASSIGN(const nlohmann::json root, ParseStrictJson(text));
  if (!root.is_object()) {
    issues.push_back({"", "must be an object"});
  } else {
    for (const auto& [name, value] : root.items()) {
      if (name == "classes") {
        purpose.classes = ClassesOf(value, issues);
      } else if (name == "requires_consent") {
        if (!value.is_boolean()) issues.push_back({"/requires_consent", "must be true or false"});
        purpose.requires_consent = value.is_boolean() && value.get<bool>();
      } else if (!value.is_string() || value.get_ref<const std::string&>().size() > 2000) {
        issues.push_back({PointerTo("", name), "must be text of at most 2000 bytes"});
      } else if (name == "title") {
        purpose.title = value.get<std::string>();
      } else if (name == "legal_basis") {
        purpose.legal_basis = value.get<std::string>();
      } else if (name == "owner") {
        purpose.owner = value.get<std::string>();
      } else if (name == "description") {
        purpose.description = value.get<std::string>();
      } else if (name != "code" || value.get_ref<const std::string&>() != code) {
        issues.push_back({PointerTo("", name), "is not a known member"});
      }
    }
    if (purpose.title.empty()) issues.push_back({"/title", "is required"});
    if (!IsLegalBasis(purpose.legal_basis)) {
      issues.push_back({"/legal_basis", std::string(kLegalBasisRule)});
    }
  }
  if (!issues.empty()) {
    return std::unexpected(Error{Code::kUnprocessable, "purpose_invalid", {}, std::move(issues)});
  }
  return purpose;
}

std::string FormatPurpose(const Purpose& purpose) {
  nlohmann::json root = {
      {"code", purpose.code}, {"title", purpose.title}, {"legal_basis", purpose.legal_basis}};
  if (!purpose.owner.empty()) root["owner"] = purpose.owner;
  if (!purpose.description.empty()) root["description"] = purpose.description;
  if (!purpose.classes.empty()) root["classes"] = purpose.classes;
  if (purpose.requires_consent) root["requires_consent"] = true;
  return root.dump();
}

}  // namespace coffer::vault
