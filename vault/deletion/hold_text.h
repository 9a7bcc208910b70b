// What a hold on a client says in words, sealed under the client's key: it goes with the client.
#pragma once

#include <cstddef>
#include <optional>

#include "vault/access/operations.h"
#include "vault/deletion/hold_store.h"

namespace coffer::vault {

// Reason and case number of a hold of a client.
Bytes SealHoldText(const crypto::Keyring& keyring, const ClientKeys& keys, const Hold& hold);
// Fills both in, where they are sealed. Errors: kCorrupted.
Status OpenHoldText(const crypto::Keyring& keyring, const ClientKeys& keys, Hold& hold);

// Those of before, whose words stand in clear, in the order of their ids; where any is sealed the
// operation must leave an entry.
struct HoldsSealed {
  std::size_t sealed = 0;
  std::optional<HoldId> last = {};  // that was looked at; nothing: there were none
};
Result<HoldsSealed> SealHolds(const Vault::Core& core, Transaction& transaction,
                              const HoldId& after, std::size_t most);

}  // namespace coffer::vault
