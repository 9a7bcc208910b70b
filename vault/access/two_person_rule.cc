#include "vault/access/two_person_rule.h"

#include <nlohmann/json.hpp>

#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/approval.h"
#include "vault/access/call.h"
#include "vault/access/standing.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::int64_t kGoingOnMs = std::int64_t{3600} * 1000;

ApprovalState StateOf(const ApprovalRow& row, Timestamp now) {
  if (row.executed) return ApprovalState::kExecuted;
  if (row.ended) {
    return row.why == ApprovalEnd::kWithdrawn ? ApprovalState::kWithdrawn : ApprovalState::kVoid;
  }
  if (row.decided && !row.approved) return ApprovalState::kRejected;
  if (row.expires <= now) return ApprovalState::kExpired;
  return row.approved ? ApprovalState::kApproved : ApprovalState::kPending;
}

}  // namespace

bool IsOpen(ApprovalState state) {
  return state == ApprovalState::kPending || state == ApprovalState::kApproved;
}

crypto::Hash TwoPersonRule::HashOf(const Proposal& proposal) {
  const json document = {
      {"action", proposal.action}, {"content", proposal.content}, {"target", proposal.target}};
  return crypto::Sha256(crypto::AsBytes(document.dump()));
}

Approval TwoPersonRule::DescribeApproval(const Transaction& transaction,
                                         const ApprovalRow& row) const {
  Approval approval{row.id,        {row.action, row.target, row.content},
                    row.hash,      StateOf(row, operations_.latest()),
                    row.requester, row.created,
                    row.expires,   row.decider,
                    row.decided,   row.executed,
                    row.ended,     row.ended_by,
                    row.why};
  // The approver's role was changed under it.
  if (IsOpen(approval.state)) approval.end = WhyVoid(transaction, row);
  if (IsOpen(approval.state) && approval.end) approval.state = ApprovalState::kVoid;
  return approval;
}

Result<std::optional<ApprovalRow>> TwoPersonRule::FindOwnApproval(Transaction& transaction,
                                                                  const Call& call,
                                                                  const Proposal& proposal) const {
  const auto id = ApprovalId::Parse(call.caller.approval);
  if (!id) return std::nullopt;
  COFFER_ASSIGN(auto row, transaction.Of<AccessState>().stores.approvals.Find(*id));
  if (!row || row->hash != HashOf(proposal) || row->requester != call.actor) return std::nullopt;
  return row;
}

Status TwoPersonRule::RequireApproval(Transaction& transaction, Call& call,
                                      const Proposal& proposal) const {
  COFFER_ASSIGN(auto row, CheckApproval(transaction, call, proposal));
  return row ? MarkExecuted(transaction, *std::move(row)) : Status{};
}

Status TwoPersonRule::MarkExecuted(Transaction& transaction, ApprovalRow row) {
  row.executed = transaction.now();
  ActApprovalClosed(transaction, row);
  return transaction.Of<AccessState>().stores.approvals.Update(row);
}

Result<std::optional<ApprovalRow>> TwoPersonRule::CheckApproval(Transaction& transaction,
                                                                Call& call,
                                                                const Proposal& proposal) const {
  if (!needed_) {
    AddDetail(call.entry, "one person alone");
    return std::nullopt;
  }
  if (call.caller.approval.empty()) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_required");
  }
  COFFER_TRY(operations_.CheckState());
  COFFER_ASSIGN(auto row, FindOwnApproval(transaction, call, proposal));
  const auto state = row ? DescribeApproval(transaction, *row).state : ApprovalState::kPending;
  if (state == ApprovalState::kVoid) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_void");
  }
  if (state != ApprovalState::kApproved) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_invalid");
  }
  AddDetail(call.entry, row->id.Text());
  return row;
}

Status TwoPersonRule::RequireStarted(Transaction& transaction, Call& call,
                                     const Proposal& proposal) const {
  if (!needed_) return {};
  COFFER_TRY(operations_.CheckState());
  COFFER_ASSIGN(const auto row, FindOwnApproval(transaction, call, proposal));
  if (!row || !row->executed || operations_.latest().ms - row->executed->ms > kGoingOnMs) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_invalid");
  }
  if (WhyVoid(transaction, *row)) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_void");
  }
  AddDetail(call.entry, row->id.Text());
  return {};
}

Status TwoPersonRule::RequireApprovalToGive(Transaction& transaction, Call& call,
                                            const Giving& giving, std::string target) const {
  const auto role = transaction.Of<CatalogState>().current().Role(giving.after.role);
  // The request was checked against a role whose making was not committed after all.
  if (!role) return Fail(Code::kConflict, "role_unknown");
  if (!TakesTwo(giving, *role)) return {};
  return RequireApproval(transaction, call,
                         {"role.give", std::move(target), ContentOf(giving, *role)});
}

}  // namespace coffer::vault
