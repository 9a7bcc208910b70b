// The free text of a reason: sealed beside the entries, which keep a commitment to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/hash.h"
#include "crypto/keyring.h"
#include "vault/access/access_policy.h"
#include "vault/base/ids.h"
#include "vault/engine/client_keys.h"

namespace coffer::vault {

// Under whose key the reason of a call is kept.
enum class ReasonRule : std::uint8_t {
  kClients,  // of each client that its entries name; where they name none, or one that is not
             // there, it is not kept: somebody may be meant whose erasure would not reach it
  kVault,    // the same, but the vault's where they name none
  kErasure,  // the vault's: why something was erased stays known
};
// Of a call of which nothing more is known than its action.
ReasonRule ReasonRuleOf(Action action);

// What a sealed reason is bound to.
Bytes NoteContext(const crypto::Keyring& keyring, const CallId& call);
// Its salt and its text. Errors: kCorrupted.
Result<std::pair<crypto::Hash, std::string>> OpenReason(const crypto::Keyring& keyring,
                                                        ByteView sealed, std::string_view call,
                                                        const ClientKeys& keys);

}  // namespace coffer::vault
