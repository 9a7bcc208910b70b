#include "vault/access/open_approvals.h"

#include "vault/access/access_state.h"

namespace coffer::vault {

Status MakeRoomForApproval(Transaction& transaction, const PrincipalId& requester,
                           std::size_t bytes, Timestamp now) {
  ApprovalStore& store = transaction.Of<AccessState>().stores.approvals;
  COFFER_ASSIGN(const auto rows, store.ListUnused(requester));  // newest first
  std::size_t open = 0, open_bytes = bytes, over = 0, over_bytes = 0;
  for (const UnusedApproval& row : rows) {
    const auto ended = row.EndedBy(now);
    if (!ended) {
      ++open;
      open_bytes += row.bytes;
      continue;
    }
    over_bytes += row.bytes;
    if (++over > kMaxUnusedApprovals || over_bytes > kMaxUnusedApprovalBytes ||
        now.ms - ended->ms > kUnusedApprovalsKeptMs) {
      COFFER_TRY(store.Delete(row.id));
    }
  }
  if (open >= kMaxOpenApprovals || open_bytes > kMaxOpenApprovalBytes) {
    return Fail(Code::kConflict, "too_many_approvals");
  }
  return store.PurgeExecuted(Timestamp{now.ms - kExecutedApprovalsKeptMs});
}

}  // namespace coffer::vault
