// Deletion for good.
#pragma once

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/ids.h"
#include "vault/base/page.h"
#include "vault/clients/deletion_guard.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/erasure_procedure.h"

namespace coffer::vault {

class Erasures {
 public:
  Erasures(const Operations& operations, const ErasureProcedure& procedure,
           const TwoPersonRule& two_person, const DeletionGuard& guard)
      : operations_(operations), procedure_(procedure), two_person_(two_person), guard_(guard) {}

  // For good, with an act that says so; on the answer no key of it is left. The same again is
  // answered with the erasure that was, for a client and for records that are gone. Takes an
  // approval of "client.erase" or "record.erase" about the client's id, with {"basis": B} unless
  // that is "request", and with {"class": C} or {"records": [...]}. Errors: kConflict "held",
  // "operator_incomplete" (detail: what is missing in the configuration); kUnprocessable
  // "erasure_invalid" with issues; kPermissionDenied "approval_required", "approval_invalid".
  Result<Erasure> Erase(const Caller& caller, const ClientId& client,
                        const ErasureRequest& request);
  Result<Erasure> GetErasure(const Caller& caller, const ErasureId& id);
  Result<Page<Erasure>> ListErasures(const Caller& caller, const PageRequest& page);

 private:
  const Operations& operations_;
  const ErasureProcedure& procedure_;
  const TwoPersonRule& two_person_;
  const DeletionGuard& guard_;
};

}  // namespace coffer::vault
