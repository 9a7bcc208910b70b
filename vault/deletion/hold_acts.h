// That a hold was placed or lifted, as the ledger has it (vault/engine/protective_act.h), and done
// again from that where a restored vault lacks it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "vault/access/access_acts.h"
#include "vault/access/operations.h"
#include "vault/deletion/hold.h"
#include "vault/engine/protective_act.h"
#include "vault/engine/transaction.h"

namespace coffer::vault {

// The words of a client's hold as they are sealed under its key: where that is destroyed, so are
// they. Those of a hold on a tag are sealed with the rest of the act.
void ActHeld(Transaction& transaction, const Hold& hold);
void ActHoldLifted(Transaction& transaction, const Hold& hold);

// Of a client that is not there, or not any more, there is nothing to hold. One whose words open
// under no key of today holds without them. Errors: of the stores.
Result<Replayed> ReplayHold(const Operations& operations, Transaction& transaction,
                            const ActRow& row, const nlohmann::json& content);

}  // namespace coffer::vault
