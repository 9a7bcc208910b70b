#include "vault/access/conditions.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "vault/base/strict_json.h"

namespace coffer::vault {
namespace {

bool TouchesClients(const Grant& grant) {
  return std::ranges::any_of(grant.actions, TouchesClientData);
}

// Which of the role's grants say what a lease has to meet.
std::vector<const Grant*> DecidingGrants(const RoleDocument& role, Action action, bool emergency) {
  std::vector<const Grant*> of_action, of_clients, all;
  for (const Grant& grant : role.grants) {
    if (grant.deny) continue;
    if (grant.Covers(action)) of_action.push_back(&grant);
    if (TouchesClients(grant)) of_clients.push_back(&grant);
    all.push_back(&grant);
  }
  auto deciding = !of_action.empty()    ? std::move(of_action)
                  : !of_clients.empty() ? std::move(of_clients)
                                        : all;
  for (const Grant* grant : all) {
    if (emergency && grant->Covers(Action::kEmergencyOpen)) deciding.push_back(grant);
  }
  return deciding;
}

}  // namespace

std::optional<Condition> FirstUnmet(const Conditions& conditions, const AccessFacts& facts,
                                    bool doubt_meets) {
  const auto& networks = conditions.networks;
  const auto has_address = [&](const Network& network) { return network.Contains(facts.address); };
  if (!networks.empty() && std::ranges::none_of(networks, has_address) &&
      !(doubt_meets && facts.address.empty())) {
    return Condition::kNetwork;
  }
  if (conditions.hours && !conditions.hours->Contains(facts.now).value_or(doubt_meets)) {
    return Condition::kHours;
  }
  if (conditions.certificate && !facts.certificate_shown) return Condition::kCertificate;
  if (conditions.second_factor_minutes != 0) {
    const auto oldest = facts.now.ms - conditions.second_factor_minutes * 60'000;
    // In the time to come it was not given: the clock was set back.
    if (!facts.second_factor || facts.second_factor->ms < oldest ||
        *facts.second_factor > facts.now) {
      return Condition::kSecondFactor;
    }
  }
  if (conditions.reason && !facts.reason_given) return Condition::kReason;
  if (conditions.ticket && !facts.ticket_given) return Condition::kTicket;
  return std::nullopt;
}

std::shared_ptr<const OwnConditions> ParseOwnConditions(std::string_view json,
                                                        std::vector<Issue>& issues) {
  const auto parsed = ParseStrictJson(json);
  if (!parsed) {
    issues.push_back({"/conditions", "must be an object"});
    return nullptr;
  }
  OwnConditions own;
  own.definition = parsed->dump();
  own.conditions = ParseConditions(*parsed, issues);
  if (own.conditions->budget.limited()) {
    issues.push_back({"/conditions/budget", "has no place in a lease"});
  }
  return std::make_shared<const OwnConditions>(std::move(own));
}

std::shared_ptr<const OwnConditions> ReadOwnConditions(std::string_view stored) {
  std::vector<Issue> issues;
  auto own = ParseOwnConditions(stored, issues);
  if (own && issues.empty()) return own;
  return std::make_shared<const OwnConditions>(OwnConditions{std::string(stored), std::nullopt});
}

std::optional<Condition> FirstUnmetOfLease(const LeaseTerms& lease, const AccessFacts& facts) {
  if (lease.own) {
    if (!lease.own->conditions) return Condition::kHours;
    return FirstUnmet(*lease.own->conditions, facts);
  }
  std::optional<Condition> first;
  for (const Grant* grant : DecidingGrants(*facts.role, facts.action, lease.emergency)) {
    const auto unmet = FirstUnmet(grant->conditions, facts);
    if (unmet && (!first || *unmet < *first)) first = unmet;
  }
  return first;
}

}  // namespace coffer::vault
