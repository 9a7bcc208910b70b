// The clients that somebody has, many at once.
#pragma once

#include <vector>

#include "crypto/result.h"
#include "vault/access/assignment.h"
#include "vault/access/assignments.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"
#include "vault/clients/caseload.h"
#include "vault/clients/searches.h"

namespace coffer::vault {

class Caseloads {
 public:
  Caseloads(const Operations& operations, Assignments& assignments, Searches& searches)
      : operations_(operations), assignments_(assignments), searches_(searches) {}

  // As many calls of Assign, each with its entry and its answer. Finding one by its reference is a
  // search, and leaves the entry of one. Errors, of all: kUnauthenticated; kUnprocessable
  // "assignment_invalid" with issues.
  Result<std::vector<AssignedClient>> AssignMany(const Caller& caller,
                                                 const std::vector<ClientName>& clients,
                                                 const PrincipalId& principal,
                                                 const AssignmentTerms& terms);
  // Each client for itself passes from the one to the other, with the end that its assignment has.
  // What was interrupted is gone on with by doing it again. All that somebody has are listed first,
  // which takes assignment.read too. Errors, of all: as AssignMany.
  Result<HandedOver> HandOver(const Caller& caller, const HandOverRequest& request);

 private:
  const Operations& operations_;
  Assignments& assignments_;
  Searches& searches_;
};

}  // namespace coffer::vault
