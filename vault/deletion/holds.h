// Holds: what may not be deleted, and until when somebody looks at it again.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/ids.h"
#include "vault/base/page.h"
#include "vault/clients/client_store.h"
#include "vault/clients/deletion_guard.h"
#include "vault/deletion/hold.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

class Holds : public DeletionGuard {
 public:
  Holds(const Operations& operations, const TwoPersonRule& two_person)
      : operations_(operations), two_person_(two_person) {}

  // Errors: kUnprocessable "hold_invalid" with issues.
  Result<Hold> PlaceHold(const Caller& caller, const HoldRequest& request);
  Result<Hold> GetHold(const Caller& caller, const HoldId& id);
  // Of one client (also those by its tags), or all; those that are lifted too where asked for.
  Result<Page<Hold>> ListHolds(const Caller& caller, const std::optional<ClientId>& client,
                               bool lifted, const PageRequest& page);
  // Takes an approval of "hold.lift" about the hold's id. Errors: kConflict "already_lifted".
  Result<Hold> LiftHold(const Caller& caller, const HoldId& id);

  // As DeletionGuard.
  Status RequireNoHold(Transaction& transaction, Call& call, const ClientRow& client,
                       const std::set<std::string, std::less<>>& classes) const override;
  Status RequireTagsKept(Transaction& transaction, Call& call, const ClientRow& before,
                         const ClientRow& after) const override;
  std::vector<HoldId> HoldsOn(Transaction& transaction, const ClientRow& client) const override;

 private:
  const Operations& operations_;
  const TwoPersonRule& two_person_;
};

}  // namespace coffer::vault
