// Secrets that are shown once and kept as keyed hashes: tokens, sessions, one-time codes.
#pragma once

#include <string>
#include <string_view>

#include "crypto/keyring.h"
#include "vault/access/principal.h"
#include "vault/access/principal_store.h"
#include "vault/access/session.h"
#include "vault/access/token.h"
#include "vault/base/timestamp.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

// A new row's id and digest, and the secret: "cft_" (or "cfs_" for a session) and 256 random bits
// in base64url.
TokenRow NewBearer(const crypto::Keyring& keyring, const PrincipalId& principal,
                   std::string_view prefix, Timestamp now, std::string& secret);

TokenInfo InfoOf(const TokenRow& row, const PrincipalRow& principal);
SessionInfo SessionInfoOf(const TokenRow& row, const PrincipalRow& principal);
PrincipalInfo InfoOf(const PrincipalRow& row);

// Ends every session of `user` that is open.
Status EndSessionsOf(Transaction& transaction, const PrincipalId& user);

}  // namespace coffer::vault
