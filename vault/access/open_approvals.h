// How much one requester may have waiting, and for how long is kept what is over.
#pragma once

#include <cstdint>

#include "crypto/result.h"
#include "vault/base/timestamp.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

inline constexpr std::size_t kMaxApprovalContent = 512 * 1024;  // bytes of canonical JSON
inline constexpr std::size_t kMaxOpenApprovals = 400;           // of one requester
inline constexpr std::size_t kMaxOpenApprovalBytes = 2 * 1024 * 1024;
// Of one requester, what ended without having been used: the latest are kept.
inline constexpr std::size_t kMaxUnusedApprovals = 100;
inline constexpr std::size_t kMaxUnusedApprovalBytes = 2 * 1024 * 1024;
inline constexpr std::int64_t kUnusedApprovalsKeptMs = std::int64_t{30} * 24 * 3600 * 1000;
// Executed ones, each of which took two people: for as long as acts.
inline constexpr std::int64_t kExecutedApprovalsKeptMs = kActLifetimeMs;

// In the operation that stores one more of `bytes`, before it does: deletes what is over for long.
// Errors: kConflict "too_many_approvals".
Status MakeRoomForApproval(Transaction& transaction, const PrincipalId& requester,
                           std::size_t bytes, Timestamp now);

}  // namespace coffer::vault
