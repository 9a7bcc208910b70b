// Who may do what: one declaration of actions, the built-in roles, and the one function that
// decides. Pure over its arguments; called inside the engine's transaction, so that a revocation
// counts from the next request on. Grants, scopes, masks and conditions grow here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "audit/clock.h"
#include "crypto/result.h"
#include "vault/class_schema.h"

namespace coffer::vault {

enum class Action {
  kClientCreate,
  kClientRead,
  kClientUpdate,
  kClientList,
  kClientSearch,
  kClientErase,
  kRecordCreate,
  kRecordRead,
  kRecordList,
  kRecordUpdate,
  kRecordDelete,
  kRecordImport,
  kClassRead,
  kClassWrite,
  kPurposeRead,
  kPurposeWrite,
  kTokenCreate,
  kTokenList,
  kTokenRevoke,
  kLogRead,
  kLogVerify,
  kStatusRead,
  kMetricsRead,
  kSelfRead,
};
inline constexpr int kActionCount = static_cast<int>(Action::kSelfRead) + 1;

enum class Role {
  kAdministrator = 1,
  kSecurityOfficer = 2,
  kPrivacyOfficer = 3,
  kCaseWorker = 4,
  kCrmService = 5,
  kAuditor = 6,
};
inline constexpr Role kRoles[] = {Role::kAdministrator,  Role::kSecurityOfficer,
                                  Role::kPrivacyOfficer, Role::kCaseWorker,
                                  Role::kCrmService,     Role::kAuditor};

std::string_view Name(Action action);  // "record.read": the word in the log
std::string_view Name(Role role);      // "crm-service"
std::optional<Role> RoleFromName(std::string_view name);
std::optional<Role> RoleFromNumber(std::int64_t number);

bool RoleAllows(Role role, Action action);
// True for actions that disclose or change client data: they need a purpose.
bool TouchesClientData(Action action);

// What is known of one request when it is decided.
struct AccessFacts {
  Action action = Action::kSelfRead;
  // The principal, when the credential was known; its token's state at this moment.
  std::optional<Role> role;
  bool token_revoked = false;
  audit::Timestamp token_expires;
  audit::Timestamp now;
  std::string_view purpose;  // as given; empty when none was
  bool purpose_registered = false;
  const ClassSchema* record_class = nullptr;  // when the request is about a class
};

struct AccessDecision {
  bool allowed = false;
  std::string rule;  // "role:crm-service" that allowed, or "check:purpose" that refused
  Error error;       // meaningful when refused
};

AccessDecision Decide(const AccessFacts& facts);

}  // namespace coffer::vault
