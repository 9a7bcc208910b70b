// Why a restriction was placed, in words: sealed under its client's key.
#pragma once

#include <vector>

#include "vault/access/operations.h"
#include "vault/access/restriction.h"

namespace coffer::vault {

// What a basis is bound to.
Bytes RestrictionContext(const crypto::Keyring& keyring, const ClientId& client,
                         const RestrictionId& id);
// Stores it, its basis sealed under the client's key.
Status PlaceRestriction(const crypto::Keyring& keyring, Transaction& transaction,
                        const Restriction& restriction);
// Without their bases, the oldest first; behind them those that were lifted, where these are asked
// for, the one lifted last first.
Result<std::vector<Restriction>> RestrictionsOf(Transaction& transaction, const ClientId& client,
                                                bool lifted);
// Opens the bases of those of a client. Of one that was lifted, what does not open stays empty.
Status OpenBases(const crypto::Keyring& keyring, Transaction& transaction, const ClientId& client,
                 std::vector<Restriction>& restrictions);
// Those of the format before get an id each, and their bases are sealed.
Status MoveOlderRestrictions(const Operations& operations);

}  // namespace coffer::vault
