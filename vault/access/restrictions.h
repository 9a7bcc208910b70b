// Restrictions of processing, and objections.
#pragma once

#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/restriction.h"
#include "vault/base/ids.h"

namespace coffer::vault {

class Restrictions {
 public:
  explicit Restrictions(const Operations& operations) : operations_(operations) {}

  // Beside those that there are. Errors: kUnprocessable "restriction_invalid" with issues,
  // kConflict "too_many_restrictions".
  Result<Restriction> Restrict(const Caller& caller, const ClientId& client,
                               const RestrictionRequest& request);
  // Those in force, the oldest first; with `lifted` then also those that were lifted, the last
  // first.
  Result<std::vector<Restriction>> ListRestrictions(const Caller& caller, const ClientId& client,
                                                    bool lifted = false);
  // Also one that was lifted.
  Result<Restriction> GetRestriction(const Caller& caller, const ClientId& client,
                                     const RestrictionId& id);
  // Takes a reason. Errors: kInvalidArgument "reason_required".
  Status LiftRestriction(const Caller& caller, const ClientId& client, const RestrictionId& id);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
