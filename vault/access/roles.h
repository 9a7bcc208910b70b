// Roles, in their versions.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/two_person_rule.h"
#include "vault/catalog/role.h"

namespace coffer::vault {

class Roles {
 public:
  Roles(const Operations& operations, const TwoPersonRule& two_person)
      : operations_(operations), two_person_(two_person) {}

  Result<std::shared_ptr<const RoleDocument>> GetRole(const Caller& caller, std::string_view name);
  Result<std::vector<std::shared_ptr<const RoleDocument>>> ListRoles(const Caller& caller);
  // With a new version if the definition differs from the newest. Errors: those of ParseRole;
  // kConflict "role_built_in", "too_many_roles".
  Result<std::shared_ptr<const RoleDocument>> PutRole(const Caller& caller, std::string_view name,
                                                      std::string_view definition);

 private:
  const Operations& operations_;
  const TwoPersonRule& two_person_;
};

}  // namespace coffer::vault
