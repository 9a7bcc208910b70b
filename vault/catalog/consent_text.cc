#include "vault/catalog/consent_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "crypto/encoding.h"
#include "vault/base/names.h"
#include "vault/base/words.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxWordings = 50;
constexpr std::size_t kMaxWording = 32 * 1024;
constexpr std::size_t kMaxLanguageTag = 35;
constexpr std::uint64_t kMaxMinimumAge = 120;

bool IsSubtag(std::string_view subtag, std::size_t least) {
  return subtag.size() >= least && subtag.size() <= 8 && std::ranges::all_of(subtag, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

}  // namespace

bool IsConsentTextName(std::string_view name) { return IsName(name, '-'); }

// The shape of a tag (RFC 5646, 2.1), and its first part in small letters: who looks for a language
// finds it under one spelling of that.
bool IsLanguageTag(std::string_view tag) {
  if (tag.size() > kMaxLanguageTag) return false;
  std::size_t end = std::min(tag.find('-'), tag.size());
  const std::string_view primary = tag.substr(0, end);
  if (primary.size() < 2 || primary.size() > 3 ||
      !std::ranges::all_of(primary, [](char c) { return c >= 'a' && c <= 'z'; })) {
    return false;
  }
  while (end < tag.size()) {
    const std::size_t begin = end + 1;
    end = std::min(tag.find('-', begin), tag.size());
    if (!IsSubtag(tag.substr(begin, end - begin), 2)) return false;
  }
  return true;
}

std::vector<Issue> FaultsOf(std::string_view name, const ConsentTextRequest& request) {
  std::vector<Issue> issues;
  if (!IsConsentTextName(name)) {
    issues.push_back({"", "the name must be 1 to 64 of a-z, 0-9 and '-', beginning with a letter"});
  }
  const auto& wordings = request.wordings;
  if (wordings.empty() || wordings.size() > kMaxWordings) {
    issues.push_back({"/texts", "must be 1 to 50 texts"});
  }
  std::set<std::string_view> languages;
  for (std::size_t i = 0; i < wordings.size() && i < kMaxWordings; ++i) {
    const std::string at = "/texts/" + std::to_string(i);
    if (!IsLanguageTag(wordings[i].language)) {
      issues.push_back({at + "/language", "must be a language tag, such as \"de\" or \"zh-Hans\""});
    } else if (!languages.insert(wordings[i].language).second) {
      issues.push_back({at + "/language", "is there already"});
    }
    if (!IsWords(wordings[i].text, kMaxWording, TextForm::kLines)) {
      issues.push_back({at + "/text", WordsRule(kMaxWording, TextForm::kLines)});
    }
  }
  const auto& age = request.minimum_age;
  if (age && (*age == 0 || *age > kMaxMinimumAge)) {
    issues.push_back({"/minimum_age", "must be 1 to 120 years"});
  }
  return issues;
}

std::string StatementOf(const ConsentText& text) {
  nlohmann::json statement = {{"name", text.name},
                              {"version", text.version},
                              {"shown_since", audit::FormatTimestamp(text.shown_since)}};
  if (text.minimum_age) statement["minimum_age"] = *text.minimum_age;
  for (const ConsentWording& wording : text.wordings) {
    statement["texts"][wording.language] = crypto::HexEncode(wording.sha256);
  }
  return statement.dump();
}

}  // namespace coffer::vault
