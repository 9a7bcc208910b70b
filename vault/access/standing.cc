#include "vault/access/standing.h"

#include <algorithm>

#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/approval.h"
#include "vault/access/secrets.h"
#include "vault/catalog/catalog_state.h"
#include "vault/catalog/role.h"

namespace coffer::vault {
namespace {

Status EndAccessOf(Transaction& transaction, const PrincipalId& principal) {
  const Timestamp now = transaction.now();
  const auto note = [&](Action action, const ClientId& client, const std::string& id) {
    audit::Entry entry;
    entry.action = Name(action);
    entry.client = client.Text();
    entry.detail = id + " " + principal.Text() + " ended";
    transaction.Also(std::move(entry));
  };
  for (LeaseRow& row : transaction.Of<AccessState>().access().LiveLeasesOf(principal, now)) {
    row.terms.expires = now;
    COFFER_TRY(transaction.Of<AccessState>().stores.access.EndLease(row.id, now));
    ActLeaseEnded(transaction, row);
    note(Action::kLeaseWrite, row.client, row.terms.id);
    StageLease(transaction, std::move(row));
  }
  for (EmergencyRow& row :
       transaction.Of<AccessState>().access().LiveEmergenciesOf(principal, now)) {
    row.terms.expires = now;
    COFFER_TRY(transaction.Of<AccessState>().stores.access.EndEmergency(row.id, now));
    note(Action::kPrincipalWrite, row.client, row.terms.id);
    StageEmergency(transaction, std::move(row));
  }
  return {};
}

Status EndApprovalsOf(Transaction& transaction, const PrincipalId& principal, StandingLoss why) {
  const bool disabled = why == StandingLoss::kDisabled;
  COFFER_ASSIGN(const auto open, transaction.Of<AccessState>().stores.approvals.ListOpenOf(
                                     principal, transaction.now()));
  for (ApprovalRow row : open) {
    row.ended = transaction.now();
    row.why = row.requester == principal
                  ? (disabled ? ApprovalEnd::kRequesterDisabled : ApprovalEnd::kRequesterRole)
                  : (disabled ? ApprovalEnd::kApproverDisabled : ApprovalEnd::kApproverRole);
    COFFER_TRY(transaction.Of<AccessState>().stores.approvals.Update(row));
    ActApprovalClosed(transaction, row);
    audit::Entry entry;
    entry.action = Name(Action::kApprovalWithdraw);
    entry.payload_hash = row.hash;
    entry.detail = row.id.Text() + "; " + row.action + " void; " + std::string(Name(*row.why));
    transaction.Also(std::move(entry));
  }
  return {};
}

bool MayApprove(const RoleDocument& role, std::string_view action) {
  bool covered = false;
  for (const Grant& grant : role.grants) {
    if (!grant.Covers(Action::kApprovalDecide)) continue;
    if (grant.deny) return false;
    covered = covered || grant.CoversApproval(action);
  }
  return covered;
}

}  // namespace

Status EndStandingOf(Transaction& transaction, const PrincipalId& principal, StandingLoss why) {
  COFFER_TRY(EndSessionsOf(transaction, principal));
  COFFER_TRY(EndAccessOf(transaction, principal));
  return EndApprovalsOf(transaction, principal, why);
}

std::optional<std::uint64_t> TargetVersion(const Catalog& catalog, std::string_view action,
                                           std::string_view target) {
  if (action == Name(Action::kRoleWrite)) {
    const auto role = catalog.Role(target);
    return role ? role->version : 0;
  }
  if (action != Name(Action::kRetentionWrite)) return std::nullopt;
  if (target.starts_with(kClassTarget)) {
    const auto schema = catalog.Newest(target.substr(kClassTarget.size()));
    return schema ? schema->version : 0;
  }
  return catalog.retention ? catalog.retention->version : 0;
}

std::optional<ApprovalEnd> WhyVoid(const Transaction& transaction, const ApprovalRow& row) {
  const PrincipalRow* const requester =
      transaction.Of<AccessState>().principals().Find(row.requester);
  if (requester == nullptr || requester->disabled) return ApprovalEnd::kRequesterDisabled;
  if (row.target_version &&
      row.target_version !=
          TargetVersion(transaction.Of<CatalogState>().current(), row.action, row.target)) {
    return ApprovalEnd::kTargetChanged;
  }
  if (!row.decider) return std::nullopt;
  const PrincipalRow* const decider = transaction.Of<AccessState>().principals().Find(*row.decider);
  if (decider == nullptr || decider->disabled) return ApprovalEnd::kApproverDisabled;
  if (decider->person() == requester->person()) return ApprovalEnd::kSamePerson;
  const auto role = transaction.Of<CatalogState>().current().Role(decider->role);
  if (!role || !MayApprove(*role, row.action)) return ApprovalEnd::kApproverRole;
  return std::nullopt;
}

}  // namespace coffer::vault
