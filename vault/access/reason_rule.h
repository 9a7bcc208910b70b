// Under whose key the reason of a call is kept.
#pragma once

#include <cstdint>

#include "vault/catalog/action.h"

namespace coffer::vault {

enum class ReasonRule : std::uint8_t {
  kClients,  // of each client that its entries name; where they name none, or one that is not
             // there, it is not kept: somebody may be meant whose erasure would not reach it
  kVault,    // the same, but the vault's where they name none
  kErasure,  // the vault's: why something was erased stays known
};
// Of a call of which nothing more is known than its action.
ReasonRule ReasonRuleOf(Action action);

}  // namespace coffer::vault
