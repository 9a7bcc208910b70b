#include "vault/access/recipient.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "vault/base/calendar.h"
#include "vault/base/words.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::size_t kMostRecipientName = 200;
constexpr std::size_t kMostContact = 500;
constexpr std::array<std::string_view, 4> kCategoryNames = {"processor", "controller", "authority",
                                                            "person"};
constexpr std::array<std::string_view, 5> kRecipientSteps = {"created", "changed", "bound",
                                                             "unbound", "ended"};
constexpr std::string_view kSafeguards[] = {
    "adequacy",         "authority_instrument", "binding_rules",   "certification",
    "code_of_conduct",  "compelling_interests", "consent",         "contract",
    "legal_claims",     "public_interest",      "public_register", "security_assessment",
    "standard_clauses", "vital_interests"};

bool IsCountry(std::string_view text) {
  return text.size() == 2 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

void CheckLine(std::vector<Issue>& issues, const char* pointer, const std::string& text,
               std::size_t most, bool needed) {
  if (text.empty() && !needed) return;
  if (!IsWords(text, most)) issues.push_back({pointer, WordsRule(most)});
}

struct NamedFact {
  const char* name;
  std::string RecipientFacts::* member;
};
constexpr NamedFact kFacts[] = {
    {"name", &RecipientFacts::name},           {"category", &RecipientFacts::category},
    {"contact", &RecipientFacts::contact},     {"country", &RecipientFacts::country},
    {"safeguard", &RecipientFacts::safeguard}, {"contract", &RecipientFacts::contract},
    {"since", &RecipientFacts::since},         {"until", &RecipientFacts::until}};

std::unexpected<Error> DamagedRecipient() {
  return Fail(Code::kCorrupted, "storage_corrupted", "what was said of a recipient");
}

}  // namespace

std::string_view Name(RecipientCategory category) {
  return kCategoryNames[static_cast<std::size_t>(category)];
}

std::optional<RecipientCategory> RecipientCategoryFromName(std::string_view name) {
  const auto found = std::ranges::find(kCategoryNames, name);
  if (found == kCategoryNames.end()) return std::nullopt;
  return static_cast<RecipientCategory>(found - kCategoryNames.begin());
}

std::string_view Name(RecipientStep step) {
  return kRecipientSteps[static_cast<std::size_t>(step)];
}

std::optional<RecipientStep> RecipientStepFromName(std::string_view name) {
  const auto found = std::ranges::find(kRecipientSteps, name);
  if (found == kRecipientSteps.end()) return std::nullopt;
  return static_cast<RecipientStep>(found - kRecipientSteps.begin());
}

std::vector<Issue> FaultsOf(const RecipientFacts& facts) {
  std::vector<Issue> issues;
  CheckLine(issues, "/name", facts.name, kMostRecipientName, true);
  if (!RecipientCategoryFromName(facts.category)) {
    issues.push_back({"/category", std::string(kRecipientCategories)});
  }
  CheckLine(issues, "/contact", facts.contact, kMostContact, false);
  if (!facts.country.empty() && !IsCountry(facts.country)) {
    issues.push_back({"/country", "must be two capital letters (ISO 3166-1)"});
  }
  if (!facts.safeguard.empty() &&
      std::ranges::find(kSafeguards, facts.safeguard) == std::end(kSafeguards)) {
    std::string message = "must be one of";
    for (const std::string_view word : kSafeguards) (message += ' ') += word;
    issues.push_back({"/safeguard", std::move(message)});
  }
  CheckLine(issues, "/contract", facts.contract, kMostRecipientName, false);
  const auto since = ParseDay(facts.since), until = ParseDay(facts.until);
  if (!facts.since.empty() && !since) issues.push_back({"/since", "must be a day (YYYY-MM-DD)"});
  if (!facts.until.empty() && !until) issues.push_back({"/until", "must be a day (YYYY-MM-DD)"});
  if (since && until && *until < *since) {
    issues.push_back({"/until", "must not be earlier than since"});
  }
  return issues;
}

std::string DocumentOf(const RecipientFacts& facts) {
  json object = json::object();
  for (const NamedFact& fact : kFacts) {
    if (!(facts.*fact.member).empty()) object[fact.name] = facts.*fact.member;
  }
  return object.dump();
}

std::string DocumentOf(const PrincipalId& principal) {
  return json{{"principal", principal.Text()}}.dump();
}

Status Conclude(Recipient& recipient) {
  recipient.created = recipient.history.front().at;
  recipient.created_by = recipient.history.front().by;
  recipient.version = 0;
  recipient.principals.clear();
  recipient.ended.reset();
  for (const RecipientEvent& event : recipient.history) {
    const json object = json::parse(event.document, nullptr, false);
    if (!object.is_object()) return DamagedRecipient();
    for (const auto& [name, value] : object.items()) {
      if (!value.is_string()) return DamagedRecipient();
    }
    switch (event.step) {
      case RecipientStep::kCreated:
      case RecipientStep::kChanged:
        for (const NamedFact& fact : kFacts) {
          recipient.facts.*fact.member = object.value(fact.name, std::string());
        }
        ++recipient.version;
        break;
      case RecipientStep::kBound:
      case RecipientStep::kUnbound: {
        const auto principal = PrincipalId::Parse(object.value("principal", std::string()));
        if (!principal) return DamagedRecipient();
        std::erase(recipient.principals, *principal);
        if (event.step == RecipientStep::kBound) recipient.principals.push_back(*principal);
        break;
      }
      case RecipientStep::kEnded:
        recipient.ended = event.at;
        break;
    }
  }
  return {};
}

}  // namespace coffer::vault
