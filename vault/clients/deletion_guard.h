// What stands in the way of deleting something: said by the room that deletes.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "vault/access/call.h"
#include "vault/access/client_row.h"
#include "vault/base/ids.h"

namespace coffer::vault {

class DeletionGuard {
 public:
  virtual ~DeletionGuard() = default;
  // Passes where no hold covers the client, or these of its classes (none: all of it). Errors:
  // kConflict "held" with an issue for each hold.
  virtual Status RequireNoHold(Transaction& transaction, Call& call, const ClientRow& client,
                               const std::set<std::string, std::less<>>& classes) const = 0;
  // Passes where no hold is on a tag that the client loses. Errors: as RequireNoHold.
  virtual Status RequireTagsKept(Transaction& transaction, Call& call, const ClientRow& before,
                                 const ClientRow& after) const = 0;
  // The holds that cover the client, or anything of it.
  virtual std::vector<HoldId> HoldsOn(Transaction& transaction, const ClientRow& client) const = 0;
};

}  // namespace coffer::vault
