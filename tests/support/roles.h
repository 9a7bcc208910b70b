// The built-in roles, for tests that go through them.
#pragma once

#include <string_view>

#include "vault/catalog/role.h"

namespace coffer::vault {

enum class Role {
  kAdministrator,
  kSecurityOfficer,
  kPrivacyOfficer,
  kCaseWorker,
  kCrmService,
  kAuditor,
  kSupervisor,
};
inline constexpr Role kRoles[] = {
    Role::kAdministrator, Role::kSecurityOfficer, Role::kPrivacyOfficer, Role::kCaseWorker,
    Role::kCrmService,    Role::kAuditor,         Role::kSupervisor};

inline constexpr std::string_view Name(Role role) {
  constexpr std::string_view kNames[] = {"administrator", "security-officer", "privacy-officer",
                                         "case-worker",   "crm-service",      "auditor",
                                         "supervisor"};
  return kNames[static_cast<std::size_t>(role)];
}

inline bool RoleAllows(Role role, Action action) {
  return FindBuiltInRole(Name(role))->Allows(action);
}

}  // namespace coffer::vault
