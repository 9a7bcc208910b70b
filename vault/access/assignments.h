// Which clients are given to whom.
#pragma once

#include <vector>

#include "crypto/result.h"
#include "vault/access/assignment.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"
#include "vault/base/page.h"

namespace coffer::vault {

class Assignments {
 public:
  explicit Assignments(const Operations& operations) : operations_(operations) {}

  // Errors: kUnprocessable "principal_unknown", "assignment_invalid" with issues.
  Result<Assignment> Assign(const Caller& caller, const ClientId& client,
                            const PrincipalId& principal, const AssignmentTerms& terms);
  Status Unassign(const Caller& caller, const ClientId& client, const PrincipalId& principal);
  Result<std::vector<Assignment>> ListAssignments(const Caller& caller, const ClientId& client);
  // Those of a principal, or a team, on clients that the caller has a part in; ended ones too.
  Result<Page<Assignment>> ListAssignmentsOf(const Caller& caller, const PrincipalId& principal,
                                             const PageRequest& page);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
