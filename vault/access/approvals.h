// What two people decide: one asks, another approves, the first does it, once.
#pragma once

#include <optional>
#include <string_view>

#include "crypto/result.h"
#include "vault/access/approval.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/proposal_rules.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/ids.h"
#include "vault/base/page.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

class Approvals {
 public:
  Approvals(const Operations& operations, const TwoPersonRule& two_person,
            const ProposalRules& rules)
      : operations_(operations), two_person_(two_person), rules_(rules) {}

  // What two people decide. The caller must be allowed what is proposed. Errors: kUnprocessable
  // "proposal_invalid" with issues; kConflict "too_many_approvals" where the caller has 400 open,
  // or 2 MiB of content in these.
  Result<Approval> RequestApproval(const Caller& caller, const Proposal& proposal);
  // With what it would do now, for who may decide it and who asked.
  Result<Approval> GetApproval(const Caller& caller, const ApprovalId& id);
  // Those that wait for a decision first, newest first; fewer than page.limit where contents are
  // long.
  Result<Page<Approval>> ListApprovals(const Caller& caller, const PageRequest& page);
  // Errors: kPermissionDenied "own_request"; kConflict "approval_decided", "approval_used",
  // "approval_expired", "approval_withdrawn", "approval_ended".
  Result<Approval> DecideApproval(const Caller& caller, const ApprovalId& id, bool approve);
  // By who asked, or who approved, before it is used: from then on it is worth nothing. Of one that
  // was approved it takes a reason. Errors: kInvalidArgument "reason_required"; kConflict
  // "approval_used", "approval_expired", "approval_withdrawn", "approval_rejected",
  // "approval_ended" for one that became void.
  Result<Approval> WithdrawApproval(const Caller& caller, const ApprovalId& id);

 private:
  Result<std::optional<AccountWays>> WaysInto(Transaction& transaction,
                                              const Proposal& proposal) const;
  Status CheckProposer(Transaction& transaction, Call& call, std::string_view action,
                       const std::optional<ClientId>& client) const;

  const Operations& operations_;
  const TwoPersonRule& two_person_;
  const ProposalRules& rules_;
};

}  // namespace coffer::vault
