// The words of a consent, and what was said of the client's age: sealed under its client's key.
#pragma once

#include <vector>

#include "vault/access/consent.h"
#include "vault/access/operations.h"

namespace coffer::vault {

// What they are bound to.
Bytes ConsentContext(const crypto::Keyring& keyring, const ClientId& client, const ConsentId& id);
// Stores it; its words are sealed. What is in memory is refreshed with it.
Status StoreConsent(const crypto::Keyring& keyring, Transaction& transaction,
                    const Consent& consent);
// With their words, the oldest first.
Result<std::vector<Consent>> OpenConsents(const crypto::Keyring& keyring, Transaction& transaction,
                                          const ClientId& client);

}  // namespace coffer::vault
