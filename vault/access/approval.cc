#include "vault/access/approval.h"

namespace coffer::vault {

std::string_view Name(ApprovalState state) {
  switch (state) {
    case ApprovalState::kPending:
      return "pending";
    case ApprovalState::kApproved:
      return "approved";
    case ApprovalState::kRejected:
      return "rejected";
    case ApprovalState::kExecuted:
      return "executed";
    case ApprovalState::kExpired:
      return "expired";
    case ApprovalState::kWithdrawn:
      return "withdrawn";
    case ApprovalState::kVoid:
      break;
  }
  return "void";
}

std::string_view Name(ApprovalEnd end) {
  switch (end) {
    case ApprovalEnd::kWithdrawn:
      return "withdrawn";
    case ApprovalEnd::kRequesterDisabled:
      return "requester-disabled";
    case ApprovalEnd::kRequesterRole:
      return "requester-role";
    case ApprovalEnd::kApproverDisabled:
      return "approver-disabled";
    case ApprovalEnd::kApproverRole:
      return "approver-role";
    case ApprovalEnd::kTargetChanged:
      return "target-changed";
    case ApprovalEnd::kSamePerson:
      break;
  }
  return "same-person";
}

}  // namespace coffer::vault
