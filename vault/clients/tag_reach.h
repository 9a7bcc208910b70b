// Who sees what is about no single client.
#pragma once

#include <algorithm>
#include <string_view>

#include "vault/access/access_policy.h"
#include "vault/catalog/role.h"

namespace coffer::vault {

// It is about clients that nobody has counted: it is for who may do this to all of them.
inline bool ReachesTag(const AccessDecision& decision, std::string_view tag) {
  if (decision.denied_for_some) return false;
  return std::ranges::any_of(decision.grants, [&](const Grant* grant) {
    return !grant->deny && (grant->scope.kind == Scope::Kind::kAll ||
                            (grant->scope.kind == Scope::Kind::kTag && grant->scope.tag == tag));
  });
}

// All clients, also such as are not known yet or no longer.
inline bool ReachesAll(const AccessDecision& decision) {
  if (decision.denied_for_some) return false;
  return std::ranges::any_of(decision.grants, [](const Grant* grant) {
    return !grant->deny && grant->scope.kind == Scope::Kind::kAll;
  });
}

}  // namespace coffer::vault
