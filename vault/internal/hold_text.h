// What a hold on a client says in words, sealed under the client's key: it goes with the client.
#pragma once

#include <cstddef>

#include "vault/internal/core.h"
#include "vault/internal/hold_store.h"

namespace coffer::vault {

// Reason and case number of a hold of a client.
Bytes SealHoldText(const crypto::Keyring& keyring, const ClientKeys& keys, const Hold& hold);
// Fills both in, where they are sealed. Errors: kCorrupted.
Status OpenHoldText(const crypto::Keyring& keyring, const ClientKeys& keys, Hold& hold);

// Those of before, whose words stand in clear; the operation must leave an entry.
Status SealHolds(const Vault::Core& core, Transaction& transaction, std::size_t most);

}  // namespace coffer::vault
