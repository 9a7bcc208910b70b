// Who may do what: the actions, and the one function that decides. Pure over its arguments, called
// inside the engine's transaction, so that a revocation counts from the next request on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/access_facts.h"
#include "vault/catalog/role.h"

namespace coffer::vault {

// One that is for this request, but for a condition that is not met.
struct ClosedLease {
  const LeaseTerms* lease = nullptr;
  std::string_view reason;  // what the caller would be told
};

struct AccessDecision {
  bool allowed = false;
  std::string rule;  // "role:crm-service" or "lease:…" that allowed, "check:purpose" that refused
  Error error;       // meaningful when refused
  std::vector<const Grant*> grants;       // that match, denials of fields among them
  std::vector<const LeaseTerms*> leases;  // that match
  std::vector<ClosedLease> closed_leases;
  // No client was named, and a denial holds for some: nothing that reaches many at once may be
  // done.
  bool denied_for_some = false;
};

AccessDecision Decide(const AccessFacts& facts);

// What the decision's grants and leases show of each field of `schema`, in the order of its fields.
// All of them kNone: records of this class are not there for the caller.
std::vector<View> ViewsOf(const AccessDecision& decision, const ClassSchema& schema);
// How it shows the client's reference, which is personal and of no class. `searched`: only what is
// about every class and field may find by it.
View ReferenceViewOf(const AccessDecision& decision, bool searched);
// The same decision without what is limited by a budget.
AccessDecision WithoutBudgets(AccessDecision decision);
// True when every field of every class is shown plainly; then there is nothing to work out.
bool ShowsEverything(const AccessDecision& decision);

}  // namespace coffer::vault
