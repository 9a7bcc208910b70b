// What two people decide is done once, as it was approved, by who asked for it.
#pragma once

#include <optional>
#include <string>

#include "vault/access/approval.h"
#include "vault/access/approval_store.h"
#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/access/role_giving.h"

namespace coffer::vault {

bool IsOpen(ApprovalState state);  // pending or approved

class TwoPersonRule {
 public:
  // Not `needed`: the vault was made for one person, who decides alone.
  TwoPersonRule(const Operations& operations, bool needed)
      : operations_(operations), needed_(needed) {}
  bool needed() const { return needed_; }

  // Passes when a second person approved exactly this, for this caller, and marks that as done; or
  // when the vault was made for one person. Errors: kPermissionDenied "approval_required",
  // "approval_invalid", "approval_void" for one that ended with who asked or approved.
  Status RequireApproval(Transaction& transaction, Call& call, const Proposal& proposal) const;
  // The same where what gives a role takes two. `target` names the account.
  Status RequireApprovalToGive(Transaction& transaction, Call& call, const Giving& giving,
                               std::string target) const;
  // As RequireApproval, which is this and MarkExecuted: what takes several steps may begin, and
  // nothing is marked as done yet. Nothing: one person is enough.
  Result<std::optional<ApprovalRow>> CheckApproval(Transaction& transaction, Call& call,
                                                   const Proposal& proposal) const;
  static Status MarkExecuted(Transaction& transaction, ApprovalRow row);
  // Passes where RequireApproval passed with the same approval within the last hour: what takes
  // several requests goes on.
  Status RequireStarted(Transaction& transaction, Call& call, const Proposal& proposal) const;

  static crypto::Hash HashOf(const Proposal& proposal);
  Approval DescribeApproval(const Transaction& transaction, const ApprovalRow& row) const;

 private:
  // The row of the approval that the call names, if it is for this and of this caller.
  Result<std::optional<ApprovalRow>> FindOwnApproval(Transaction& transaction, const Call& call,
                                                     const Proposal& proposal) const;

  const Operations& operations_;
  const bool needed_;
};

}  // namespace coffer::vault
