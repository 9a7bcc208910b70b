#include "vault/purpose.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "vault/names.h"
#include "vault/strict_json.h"

namespace coffer::vault {

bool IsPurposeCode(std::string_view code) { return IsName(code, '-'); }

Result<Purpose> ParsePurpose(std::string_view code, std::string_view text) {
  static constexpr std::string_view kBases[] = {"consent",          "contract",
                                                "legal-obligation", "vital-interests",
                                                "public-task",      "legitimate-interests"};
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
      if (!value.is_string() || value.get_ref<const std::string&>().size() > 2000) {
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
    if (std::ranges::find(kBases, purpose.legal_basis) == std::end(kBases)) {
      issues.push_back({"/legal_basis",
                        "must be one of consent, contract, legal-obligation, "
                        "vital-interests, public-task, legitimate-interests"});
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
  return root.dump();
}

}  // namespace coffer::vault
