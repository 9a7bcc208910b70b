// What the operations on assignments and leases ask first.
#pragma once

#include <algorithm>

#include "vault/access/access_state.h"
#include "vault/access/assignment.h"
#include "vault/access/call.h"

namespace coffer::vault {

inline Assignment InfoOf(const AssignmentRow& row) {
  return {row.client, row.principal, row.starts, row.ends, row.given_by};
}

inline Status RequirePrincipal(const Transaction& transaction, const PrincipalId& principal) {
  if (transaction.Of<AccessState>().principals().Find(principal) != nullptr) return {};
  return Fail(Code::kUnprocessable, "principal_unknown");
}

// Nobody gives themselves what somebody else is to answer for.
inline bool IsOfCaller(const Transaction& transaction, const Call& call,
                       const PrincipalId& principal) {
  if (const TeamRow* const team = transaction.Of<AccessState>().principals().FindTeam(principal)) {
    return std::ranges::any_of(team->members, [&](const PrincipalId& member) {
      return IsOfCaller(transaction, call, member);
    });
  }
  const PrincipalRow* const row = transaction.Of<AccessState>().principals().Find(principal);
  return row != nullptr && row->person() == call.principal->person();
}

inline Status RequireClient(Transaction& transaction, Call& call) {
  COFFER_ASSIGN(const auto row, transaction.Of<AccessState>().FindClient(*call.subject));
  if (!row) return NotFound(call);
  return {};
}

}  // namespace coffer::vault
