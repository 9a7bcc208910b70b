// The free text of a reason: sealed beside the entries, which keep a commitment to it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "crypto/hash.h"
#include "crypto/keyring.h"
#include "vault/access/call.h"
#include "vault/base/ids.h"
#include "vault/engine/client_keys.h"

namespace coffer::vault {

// What a sealed reason is bound to.
Bytes NoteContext(const crypto::Keyring& keyring, const CallId& call);
// Seals the call's reason beside its entries, as its rule says. `done`: its further entries will be
// there.
Status SealReason(const crypto::Keyring& keyring, Transaction& transaction, Call& call, bool done);
// Its salt and its text. Errors: kCorrupted.
Result<std::pair<crypto::Hash, std::string>> OpenReason(const crypto::Keyring& keyring,
                                                        ByteView sealed, std::string_view call,
                                                        const ClientKeys& keys);

}  // namespace coffer::vault
