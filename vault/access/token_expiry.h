// Which services' tokens end soon: who looks in time renews them before a service stands still.
#pragma once

#include "vault/access/expiring_tokens.h"
#include "vault/access/principal_store.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// Of tokens that count at `now`: no sessions, none that is revoked or expired or of a service that
// is disabled.
TokenExpiry ExpiryOf(const PrincipalRegister& principals, Timestamp now);

}  // namespace coffer::vault
