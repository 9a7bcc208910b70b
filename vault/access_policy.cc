#include "vault/access_policy.h"

#include <array>
#include <cstdint>

namespace coffer::vault {
namespace {

struct ActionRow {
  Action action;
  std::string_view name;
  bool client_data;
};

constexpr ActionRow kActions[] = {
    {Action::kClientCreate, "client.create", true}, {Action::kClientRead, "client.read", true},
    {Action::kClientUpdate, "client.update", true}, {Action::kClientList, "client.list", true},
    {Action::kClientSearch, "client.search", true}, {Action::kClientErase, "client.erase", true},
    {Action::kRecordCreate, "record.create", true}, {Action::kRecordRead, "record.read", true},
    {Action::kRecordList, "record.list", true},     {Action::kRecordUpdate, "record.update", true},
    {Action::kRecordDelete, "record.delete", true}, {Action::kRecordImport, "record.import", true},
    {Action::kClassRead, "class.read", false},      {Action::kClassWrite, "class.write", false},
    {Action::kPurposeRead, "purpose.read", false},  {Action::kPurposeWrite, "purpose.write", false},
    {Action::kTokenCreate, "token.create", false},  {Action::kTokenList, "token.list", false},
    {Action::kTokenRevoke, "token.revoke", false},  {Action::kLogRead, "log.read", false},
    {Action::kLogVerify, "log.verify", false},      {Action::kStatusRead, "status.read", false},
    {Action::kMetricsRead, "metrics.read", false},  {Action::kSelfRead, "self.read", false},
};
static_assert(std::size(kActions) == kActionCount);

constexpr bool InOrder() {
  for (std::size_t i = 0; i < std::size(kActions); ++i) {
    if (static_cast<std::size_t>(kActions[i].action) != i) return false;
  }
  return true;
}
static_assert(InOrder(), "kActions is indexed by the enumerator");

using ActionSet = std::uint64_t;
template <class... A>
constexpr ActionSet SetOf(A... actions) {
  return ((ActionSet{1} << static_cast<int>(actions)) | ...);
}

struct RoleRow {
  Role role;
  std::string_view name;
  ActionSet actions;
};

using enum Action;

// Administrators and security officers are never given a reading of records: who runs the vault and
// who watches it do not see what is in it.
constexpr RoleRow kRoleTable[] = {
    {Role::kAdministrator, "administrator",
     SetOf(kClassRead, kClassWrite, kPurposeRead, kPurposeWrite, kTokenCreate, kTokenList,
           kTokenRevoke, kStatusRead, kMetricsRead, kSelfRead)},
    {Role::kSecurityOfficer, "security-officer",
     SetOf(kClassRead, kPurposeRead, kTokenList, kTokenRevoke, kLogRead, kLogVerify, kStatusRead,
           kMetricsRead, kSelfRead)},
    {Role::kPrivacyOfficer, "privacy-officer",
     SetOf(kClientRead, kClientList, kClientSearch, kClientErase, kRecordRead, kRecordList,
           kRecordDelete, kClassRead, kPurposeRead, kPurposeWrite, kLogRead, kLogVerify,
           kStatusRead, kSelfRead)},
    {Role::kCaseWorker, "case-worker",
     SetOf(kClientRead, kClientUpdate, kClientSearch, kRecordCreate, kRecordRead, kRecordList,
           kRecordUpdate, kClassRead, kPurposeRead, kSelfRead)},
    {Role::kCrmService, "crm-service",
     SetOf(kClientCreate, kClientRead, kClientUpdate, kClientList, kClientSearch, kRecordCreate,
           kRecordRead, kRecordList, kRecordUpdate, kRecordDelete, kRecordImport, kClassRead,
           kPurposeRead, kSelfRead)},
    {Role::kAuditor, "auditor",
     SetOf(kClassRead, kPurposeRead, kLogRead, kLogVerify, kStatusRead, kSelfRead)},
};

const RoleRow* RowOf(Role role) {
  for (const auto& row : kRoleTable) {
    if (row.role == role) return &row;
  }
  return nullptr;
}

AccessDecision Refuse(std::string_view check, Code code, std::string_view reason) {
  return {false, "check:" + std::string(check), Error{code, reason, {}, {}}};
}

}  // namespace

std::string_view Name(Action action) { return kActions[static_cast<std::size_t>(action)].name; }

std::string_view Name(Role role) {
  const RoleRow* row = RowOf(role);
  return row == nullptr ? std::string_view("none") : row->name;
}

std::optional<Role> RoleFromName(std::string_view name) {
  for (const auto& row : kRoleTable) {
    if (row.name == name) return row.role;
  }
  return std::nullopt;
}

std::optional<Role> RoleFromNumber(std::int64_t number) {
  for (const auto& row : kRoleTable) {
    if (static_cast<std::int64_t>(row.role) == number) return row.role;
  }
  return std::nullopt;
}

bool RoleAllows(Role role, Action action) {
  const RoleRow* row = RowOf(role);
  return row != nullptr && (row->actions >> static_cast<int>(action) & 1) != 0;
}

bool TouchesClientData(Action action) {
  return kActions[static_cast<std::size_t>(action)].client_data;
}

AccessDecision Decide(const AccessFacts& facts) {
  if (!facts.role) return Refuse("authentication", Code::kUnauthenticated, "unauthenticated");
  if (facts.token_revoked)
    return Refuse("token-revoked", Code::kUnauthenticated, "unauthenticated");
  if (facts.token_expires <= facts.now) {
    return Refuse("token-expired", Code::kUnauthenticated, "unauthenticated");
  }
  if (!RoleAllows(*facts.role, facts.action)) {
    return Refuse("role", Code::kPermissionDenied, "permission_denied");
  }
  if (TouchesClientData(facts.action)) {
    if (facts.purpose.empty()) {
      return Refuse("purpose", Code::kInvalidArgument, "purpose_required");
    }
    if (!facts.purpose_registered) {
      return Refuse("purpose", Code::kUnprocessable, "purpose_unknown");
    }
    if (facts.record_class != nullptr && !facts.record_class->AllowsPurpose(facts.purpose)) {
      return Refuse("class-purpose", Code::kPermissionDenied, "purpose_not_allowed");
    }
  }
  return {true, "role:" + std::string(Name(*facts.role)), {}};
}

}  // namespace coffer::vault
