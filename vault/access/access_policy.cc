#include "vault/access/access_policy.h"

#include <algorithm>
#include <iterator>

#include "vault/access/conditions.h"
#include "vault/access/token_limits.h"
#include "vault/catalog/class_schema.h"
#include "vault/catalog/mask.h"
#include "vault/catalog/purpose.h"
#include "vault/catalog/role.h"
#include "vault/catalog/role_narrowing.h"

namespace coffer::vault {
namespace {

// What a lease lets its holder do, on its client: its fields are those of records.
bool IsLeased(Action action, const LeaseTerms& lease) {
  return action == Action::kRecordRead || action == Action::kRecordList ||
         (lease.emergency && action == Action::kClientRead);
}

AccessDecision Refuse(std::string_view check, Code code, std::string_view reason) {
  AccessDecision decision;
  decision.rule = "check:" + std::string(check);
  decision.error = Error{code, reason, {}, {}};
  return decision;
}

bool HasTag(std::string_view tags, std::string_view tag) {
  while (!tags.empty()) {
    const auto space = tags.find(' ');
    if (tags.substr(0, space) == tag) return true;
    if (space == tags.npos) break;
    tags.remove_prefix(space + 1);
  }
  return false;
}

bool InScope(const Scope& scope, const ClientFacts* client) {
  if (client == nullptr) return true;  // decided client by client, later
  switch (scope.kind) {
    case Scope::Kind::kAll:
      return true;
    case Scope::Kind::kAssigned:
      return client->assigned;
    case Scope::Kind::kTag:
      return HasTag(client->tags, scope.tag);
  }
  return false;
}

// How far the best grant came; what it failed at is what the caller is told.
enum class Obstacle {
  kAction,
  kScope,
  kClass,
  kPurpose,
  kNetwork,
  kHours,
  kCertificate,
  kSecondFactor,
  kReason,
  kTicket,
  kBudget,
  kNone
};

Obstacle ObstacleOf(Condition unmet) {
  switch (unmet) {
    case Condition::kNetwork:
      return Obstacle::kNetwork;
    case Condition::kHours:
      return Obstacle::kHours;
    case Condition::kCertificate:
      return Obstacle::kCertificate;
    case Condition::kSecondFactor:
      return Obstacle::kSecondFactor;
    case Condition::kReason:
      return Obstacle::kReason;
    case Condition::kTicket:
      break;
  }
  return Obstacle::kTicket;
}

Obstacle FirstObstacle(const Grant& grant, const AccessFacts& facts) {
  if (!grant.Covers(facts.action)) return Obstacle::kAction;
  const bool may_be_denied = grant.deny && facts.client != nullptr && facts.client->gone;
  if (!may_be_denied && !InScope(grant.scope, facts.client)) return Obstacle::kScope;
  if (TouchesClientData(facts.action)) {
    if (facts.record_class != nullptr && !grant.CoversClass(facts.record_class->name)) {
      return Obstacle::kClass;
    }
    if (!grant.CoversPurpose(facts.purpose)) return Obstacle::kPurpose;
  }
  // A denial counts also when its condition cannot be evaluated: that is the safe side of both.
  if (const auto unmet = FirstUnmet(grant.conditions, facts, grant.deny)) {
    return ObstacleOf(*unmet);
  }
  if (grant.view == View::kPlain &&
      !grant.conditions.budget.Allows({facts.revealed.hour + 1, facts.revealed.day + 1})) {
    return Obstacle::kBudget;
  }
  return Obstacle::kNone;
}

bool Matches(const LeaseTerms& lease, const AccessFacts& facts) {
  return IsLeased(facts.action, lease) && facts.now < lease.expires &&
         facts.purpose == lease.purpose &&
         (facts.record_class == nullptr || lease.CoversClass(facts.record_class->name));
}

AccessDecision RefuseAt(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::kAction:
      return Refuse("role", Code::kPermissionDenied, "permission_denied");
    case Obstacle::kScope:
      return Refuse("scope", Code::kNotFound, "not_found");
    case Obstacle::kClass:
      return Refuse("class", Code::kPermissionDenied, "permission_denied");
    case Obstacle::kPurpose:
      return Refuse("grant-purpose", Code::kPermissionDenied, "purpose_not_allowed");
    case Obstacle::kNetwork:
      return Refuse("network", Code::kPermissionDenied, "network_not_allowed");
    case Obstacle::kHours:
      return Refuse("hours", Code::kPermissionDenied, "outside_hours");
    case Obstacle::kCertificate:
      return Refuse("certificate", Code::kPermissionDenied, "certificate_required");
    case Obstacle::kSecondFactor:
      return Refuse("second-factor", Code::kPermissionDenied, "second_factor_required");
    case Obstacle::kBudget:
      return Refuse("budget", Code::kExhausted, "budget_exhausted");
    case Obstacle::kReason:
      return Refuse("reason", Code::kInvalidArgument, "reason_required");
    case Obstacle::kTicket:
      return Refuse("ticket", Code::kInvalidArgument, "ticket_required");
    case Obstacle::kNone:
      break;
  }
  return Refuse("role", Code::kPermissionDenied, "permission_denied");
}

// With what `sensitivity_of` says of a field.
template <class SensitivityOf>
std::vector<View> ViewsUnder(const AccessDecision& decision, const ClassSchema& schema,
                             SensitivityOf sensitivity_of) {
  std::vector<View> views(schema.fields.size(), View::kNone);
  const auto covers = [&](const Grant& grant, std::size_t i) {
    return grant.CoversField(schema.fields[i].name, sensitivity_of(schema.fields[i]));
  };
  const auto raise = [&](std::size_t i, View view) { views[i] = std::max(views[i], view); };
  for (const Grant* grant : decision.grants) {
    if (grant->deny || !grant->CoversClass(schema.name)) continue;
    for (std::size_t i = 0; i < views.size(); ++i) {
      if (covers(*grant, i)) raise(i, grant->view);
    }
  }
  for (const LeaseTerms* lease : decision.leases) {
    if (!lease->CoversClass(schema.name)) continue;
    for (std::size_t i = 0; i < views.size(); ++i) {
      if (lease->fields.empty() ||
          std::ranges::binary_search(lease->fields, schema.fields[i].name)) {
        raise(i, View::kPlain);
      }
    }
  }
  for (const Grant* grant : decision.grants) {
    if (!grant->deny || !grant->CoversClass(schema.name)) continue;
    for (std::size_t i = 0; i < views.size(); ++i) {
      if (covers(*grant, i)) views[i] = View::kNone;
    }
  }
  return views;
}

// Nothing is asked of the purpose of somebody who may not do this at all.
AccessDecision CheckPurpose(const AccessFacts& facts) {
  if (facts.purpose.empty()) return Refuse("purpose", Code::kInvalidArgument, "purpose_required");
  if (facts.registered == nullptr) {
    return Refuse("purpose", Code::kUnprocessable, "purpose_unknown");
  }
  if (facts.record_class != nullptr && !facts.registered->MayTouch(facts.record_class->name)) {
    return Refuse("purpose-class", Code::kPermissionDenied, "purpose_not_allowed");
  }
  if (facts.record_class != nullptr && !facts.record_class->AllowsPurpose(facts.purpose)) {
    return Refuse("class-purpose", Code::kPermissionDenied, "purpose_not_allowed");
  }
  AccessDecision decision;
  decision.allowed = true;
  return decision;
}

}  // namespace

AccessDecision Decide(const AccessFacts& facts) {
  AccessDecision decision;
  if (!facts.authenticated) {
    return Refuse("authentication", Code::kUnauthenticated, "unauthenticated");
  }
  if (!facts.credential_fault.empty()) {
    return Refuse(facts.credential_fault, Code::kUnauthenticated, "unauthenticated");
  }
  // What ends another's approval is more than a token for something else was given for.
  const bool limited = facts.action == Action::kApprovalWithdraw && facts.limits != nullptr &&
                       !facts.limits->Covers(facts.action);
  if (KindOf(facts.action) == ActionKind::kOwn && !limited) {
    decision.allowed = true;
    decision.rule = "self";
    return decision;
  }
  if (facts.limits != nullptr && !facts.limits->Covers(facts.action) &&
      facts.action != Action::kSelfRead) {
    return Refuse("token-scope", Code::kPermissionDenied, "permission_denied");
  }
  if (facts.role == nullptr) return RefuseAt(Obstacle::kAction);

  Obstacle nearest = Obstacle::kAction;
  bool budget_spent = false, plain_left = false;
  for (const Grant& grant : facts.role->grants) {
    const bool class_open = facts.record_class == nullptr && !grant.classes.empty();
    const Obstacle obstacle = FirstObstacle(grant, facts);
    // A denial for some clients or classes counts when one of them is asked for. Of a client that
    // is gone it is not known whether it was one of them.
    const bool of_some = facts.client == nullptr || facts.client->gone;
    if (grant.deny && of_some && grant.scope.kind != Scope::Kind::kAll) {
      if (obstacle == Obstacle::kNone) decision.denied_for_some = true;
      continue;
    }
    if (obstacle == Obstacle::kNone) {
      if (grant.deny && grant.CoversEveryField() && !class_open) {
        return Refuse("denial", Code::kPermissionDenied, "permission_denied");
      }
      decision.grants.push_back(&grant);
      if (!grant.deny && grant.view == View::kPlain) plain_left = true;
    }
    // Which of its classes is meant is not said yet: then it is decided again.
    if (obstacle == Obstacle::kBudget && IsCounted(facts.action, grant) && !class_open) {
      budget_spent = true;
    }
    if (!grant.deny) nearest = std::max(nearest, obstacle);
  }
  if (facts.client != nullptr) {
    for (const LeaseTerms* lease : facts.client->leases) {
      if (!Matches(*lease, facts)) continue;
      if (const auto unmet = FirstUnmetOfLease(*lease, facts)) {
        nearest = std::max(nearest, ObstacleOf(*unmet));
        decision.closed_leases.push_back({lease, RefuseAt(ObstacleOf(*unmet)).error.reason});
        continue;
      }
      decision.leases.push_back(lease);
    }
  }
  const bool granted =
      std::ranges::any_of(decision.grants, [](const Grant* grant) { return !grant->deny; });
  const bool leased = !granted && !decision.leases.empty();
  if (nearest == Obstacle::kAction && !leased) return RefuseAt(nearest);
  if (TouchesClientData(facts.action)) {
    // Of what was asked alone: it tells nothing of what is there.
    if (auto checked = CheckPurpose(facts); !checked.allowed) return checked;
  }
  // Each grant is there until its own budget is spent. Where none is left that shows plainly, that
  // is said, and not masked instead.
  if (budget_spent && !plain_left && decision.leases.empty()) return RefuseAt(Obstacle::kBudget);
  if (!granted && !leased) {
    AccessDecision refused = RefuseAt(nearest);
    refused.closed_leases = std::move(decision.closed_leases);
    return refused;
  }
  decision.allowed = true;
  const auto emergency = std::ranges::find_if(decision.leases, &LeaseTerms::emergency);
  if (emergency != decision.leases.end()) {
    // Also where the role shows some of it: every entry says so.
    decision.rule = "emergency:" + (*emergency)->id;
  } else if (granted) {
    decision.rule = "role:" + facts.role->name;
  } else {
    decision.rule = "lease:" + decision.leases.front()->id;
  }
  return decision;
}

std::vector<View> ViewsOf(const AccessDecision& decision, const ClassSchema& schema) {
  auto views = ViewsUnder(decision, schema, [](const Field& field) { return field.sensitivity; });
  const auto changed = [](const Field& field) { return field.later_sensitivity.has_value(); };
  if (std::ranges::any_of(schema.fields, changed)) {
    const auto later = ViewsUnder(decision, schema, [](const Field& field) {
      return field.later_sensitivity.value_or(field.sensitivity);
    });
    for (std::size_t i = 0; i < views.size(); ++i) views[i] = std::min(views[i], later[i]);
  }
  return views;
}

View ReferenceViewOf(const AccessDecision& decision, bool searched) {
  const auto covers = [](const Grant& grant, bool narrow) {
    return (!narrow || (grant.classes.empty() && grant.fields.empty())) &&
           (grant.sensitivity.empty() ||
            std::ranges::find(grant.sensitivity, Sensitivity::kPersonal) !=
                grant.sensitivity.end());
  };
  View view = View::kNone;
  for (const Grant* grant : decision.grants) {
    if (grant->deny && covers(*grant, true)) return View::kNone;
    if (!grant->deny && covers(*grant, searched)) view = std::max(view, grant->view);
  }
  return view;
}

AccessDecision WithoutBudgets(AccessDecision decision) {
  std::erase_if(decision.grants,
                [](const Grant* grant) { return grant->conditions.budget.limited(); });
  return decision;
}

bool ShowsEverything(const AccessDecision& decision) {
  const auto is_denial = [](const Grant* grant) { return grant->deny; };
  return std::ranges::none_of(decision.grants, is_denial) &&
         std::ranges::any_of(decision.grants, [](const Grant* grant) {
           return grant->view == View::kPlain && grant->classes.empty() &&
                  grant->CoversEveryField();
         });
}

}  // namespace coffer::vault
