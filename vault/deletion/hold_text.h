// What a hold on a client says in words, sealed under the client's key: it goes with the client.
#pragma once

#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/deletion/hold.h"
#include "vault/engine/client_keys.h"

namespace coffer::vault {

// Reason and case number of a hold of a client.
Bytes SealHoldText(const crypto::Keyring& keyring, const ClientKeys& keys, const Hold& hold);
// Fills both in, where they are sealed. Errors: kCorrupted.
Status OpenHoldText(const crypto::Keyring& keyring, const ClientKeys& keys, Hold& hold);

}  // namespace coffer::vault
