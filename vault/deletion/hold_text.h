// What a hold on a client says in words, sealed under the client's key: it goes with the client.
#pragma once

#include <cstddef>
#include <optional>

#include "vault/clients/index_builder.h"
#include "vault/deletion/hold.h"
#include "vault/deletion/hold_store.h"

namespace coffer::vault {

// Reason and case number of a hold of a client.
Bytes SealHoldText(const crypto::Keyring& keyring, const ClientKeys& keys, const Hold& hold);
// Fills both in, where they are sealed. Errors: kCorrupted.
Status OpenHoldText(const crypto::Keyring& keyring, const ClientKeys& keys, Hold& hold);

// Those of before, whose words stand in clear, some more in the order of their ids: one whose
// client's key is not there is passed over.
Result<IndexBuilder::OlderSealed> SealHolds(const crypto::Keyring& keyring,
                                            Transaction& transaction, const HoldId& after);

}  // namespace coffer::vault
