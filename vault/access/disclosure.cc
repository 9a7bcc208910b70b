#include "vault/access/disclosure.h"

#include <algorithm>

#include "vault/base/words.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMostDisclosureLine = 200;
constexpr std::array<std::string_view, 3> kSourceNames = {"export", "package", "hand"};
constexpr std::array<std::string_view, kToldActs> kToldActNames = {"erased", "rectified",
                                                                   "restricted", "withdrawn"};

template <class Enum, std::size_t kCount>
std::optional<Enum> EnumFrom(const std::array<std::string_view, kCount>& names,
                             std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

void CheckDisclosureLine(std::vector<Issue>& issues, const char* pointer, const std::string& text) {
  if (text.empty() || IsWords(text, kMostDisclosureLine)) return;
  issues.push_back({pointer, WordsRule(kMostDisclosureLine)});
}

void CheckChannel(std::vector<Issue>& issues, const std::string& channel) {
  if (std::ranges::find(kDisclosureChannels, channel) != std::end(kDisclosureChannels)) return;
  issues.push_back({"/channel", std::string(kDisclosureChannelRule)});
}

}  // namespace

std::string_view Name(DisclosureSource source) {
  return kSourceNames[static_cast<std::size_t>(source)];
}
std::optional<DisclosureSource> DisclosureSourceFromName(std::string_view name) {
  return EnumFrom<DisclosureSource>(kSourceNames, name);
}
std::string_view Name(ToldAct act) { return kToldActNames[static_cast<std::size_t>(act)]; }
std::optional<ToldAct> ToldActFromName(std::string_view name) {
  return EnumFrom<ToldAct>(kToldActNames, name);
}

std::vector<Issue> FaultsOf(const DisclosureFacts& facts, Timestamp now) {
  std::vector<Issue> issues;
  if (facts.given && *facts.given > now) issues.push_back({"/given", "must not be in the future"});
  if (facts.basis.empty()) issues.push_back({"/basis", "is required"});
  CheckDisclosureLine(issues, "/basis", facts.basis);
  CheckDisclosureLine(issues, "/purpose", facts.purpose);
  CheckChannel(issues, facts.channel);
  CheckDisclosureLine(issues, "/reference", facts.reference);
  return issues;
}

std::vector<Issue> FaultsOf(const TellingFacts& facts, Timestamp now) {
  std::vector<Issue> issues;
  if (!facts.client && !facts.until) {
    issues.push_back({"/until", "is required where no client is named"});
  }
  if (facts.at && *facts.at > now) issues.push_back({"/at", "must not be in the future"});
  CheckDisclosureLine(issues, "/reference", facts.reference);
  if (facts.not_told.empty()) {
    CheckChannel(issues, facts.channel);
    return issues;
  }
  if (std::ranges::find(kNotTold, facts.not_told) == std::end(kNotTold)) {
    issues.push_back({"/not_told", "must be disproportionate or impossible"});
  }
  if (!facts.channel.empty()) {
    issues.push_back({"/channel", "has no place where nobody was told"});
  }
  if (facts.reference.empty()) {
    issues.push_back({"/reference", "is required: where the reasons are"});
  }
  return issues;
}

}  // namespace coffer::vault
