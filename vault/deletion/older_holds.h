// Holds from before their words were sealed.
#pragma once

#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/clients/index_builder.h"
#include "vault/deletion/hold_store.h"
#include "vault/engine/transaction.h"

namespace coffer::vault {

// Seals the words of some more that have theirs in clear, in the order of their ids: one whose
// client's key is not there is passed over.
Result<IndexBuilder::OlderSealed> SealHolds(const crypto::Keyring& keyring,
                                            Transaction& transaction, const HoldId& after);

}  // namespace coffer::vault
