// Roles: read, list, put.
#include "vault/access/roles.h"

#include <algorithm>

#include "vault/access/access_acts.h"
#include "vault/access/access_checks.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/conditions.h"
#include "vault/base/names.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxRoles = 1000;

}  // namespace

Result<std::shared_ptr<const RoleDocument>> Roles::GetRole(const Caller& caller,
                                                           std::string_view name) {
  Call call = operations_.Start(caller, {Action::kRoleRead});
  std::shared_ptr<const RoleDocument> role;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    role = transaction.Of<CatalogState>().current().Role(name);
    if (!role) return NotFound(call);
    call.entry.detail = role->name;
    call.entry.version = role->version;
    return {};
  }));
  return role;
}

Result<std::vector<std::shared_ptr<const RoleDocument>>> Roles::ListRoles(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kRoleRead});
  std::vector<std::shared_ptr<const RoleDocument>> roles;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    for (const auto& [name, role] : transaction.Of<CatalogState>().current().roles) {
      roles.push_back(role);
    }
    return {};
  }));
  return roles;
}

Result<std::shared_ptr<const RoleDocument>> Roles::PutRole(const Caller& caller,
                                                           std::string_view name,
                                                           std::string_view definition) {
  auto parsed = ParseRole(name, definition);
  if (auto faults = FaultsOfTexts(definition); parsed && !faults.empty()) {
    parsed = std::unexpected(Error{Code::kUnprocessable, "role_invalid", {}, std::move(faults)});
  }
  if (parsed && FindBuiltInRole(name) != nullptr) {
    parsed = Fail(Code::kConflict, "role_built_in");
  }
  if (!parsed) {
    return operations_.Refuse(caller, {Action::kRoleWrite}, parsed.error());
  }
  Call call = operations_.Start(caller, {Action::kRoleWrite, OperationKind::kWrite});
  call.entry.detail = parsed->name;
  std::shared_ptr<const RoleDocument> stored;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    const auto newest = transaction.Of<CatalogState>().current().Role(name);
    if (newest && newest->definition == parsed->definition) {
      stored = newest;
      call.entry.version = newest->version;
      call.entry.outcome = "unchanged";
      return {};
    }
    if (!newest && transaction.Of<CatalogState>().current().roles.size() >= kMaxRoles) {
      return Fail(Code::kConflict, "too_many_roles");
    }
    // A new role has no holders, and giving a privileged one takes two people in any case.
    if (newest) {
      COFFER_TRY(two_person_.RequireApproval(transaction, call,
                                             {"role.write", parsed->name, parsed->definition}));
    }
    parsed->version = newest ? newest->version + 1 : 1;
    call.entry.version = parsed->version;
    call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(parsed->definition));
    COFFER_TRY(transaction.Of<CatalogState>().catalog_store.InsertRole(*parsed, transaction.now()));
    ActRolePut(transaction, *parsed);
    stored = std::make_shared<const RoleDocument>(*parsed);
    Catalog catalog = transaction.Of<CatalogState>().current();
    catalog.roles.insert_or_assign(stored->name, stored);
    ReplaceCatalog(transaction, std::move(catalog));
    return {};
  }));
  return stored;
}

}  // namespace coffer::vault
