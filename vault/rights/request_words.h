// What is said in words in a request and its steps: sealed under the client's key, with which it
// goes, and before the client is known under the vault's key for notes.
#pragma once

#include "crypto/keyring.h"
#include "crypto/result.h"
#include "vault/engine/client_keys.h"
#include "vault/rights/request.h"

namespace coffer::vault {

// Keys of who nobody knows yet.
ClientKeys KeysOfNobody(const crypto::Keyring& keyring);

// Empty where nothing is said.
Bytes SealWords(const crypto::Keyring& keyring, const ClientKeys& keys, const RequestId& id,
                const RequestStep& step);
// Fills in what is said, where anything is. Errors: kCorrupted.
Status OpenWords(const crypto::Keyring& keyring, const ClientKeys& keys, const RequestId& id,
                 RequestStep& step);
// The same bytes under another key, of step `number`. Errors: kCorrupted.
Result<Bytes> ResealWords(const crypto::Keyring& keyring, const ClientKeys& from,
                          const ClientKeys& to, const RequestId& id, std::uint64_t number,
                          ByteView sealed);

}  // namespace coffer::vault
