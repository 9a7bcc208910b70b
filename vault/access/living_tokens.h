// How many tokens a service has and how many sessions a user, and for how long those that ended are
// kept. Whoever holds one can make others at the speed of the vault: nothing here grows with that.
#pragma once

#include <cstdint>

#include "crypto/result.h"
#include "vault/access/principal_store.h"
#include "vault/base/timestamp.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

inline constexpr std::size_t kMaxLivingTokens = 50;    // of one service
inline constexpr std::size_t kMaxLivingSessions = 50;  // of one user
inline constexpr std::size_t kMaxEndedTokens = 100;    // of one principal; the latest are kept
inline constexpr std::int64_t kEndedTokensKeptMs = std::int64_t{30} * 24 * 3600 * 1000;

// In the operation that stores one more token of the service, before it does. `replaced`: what will
// be stored of the one in whose place it comes; null where there is none. Deletes what ended long
// ago. Errors: kConflict "too_many_tokens".
Status MakeRoomForToken(Transaction& transaction, const PrincipalId& service, Timestamp now,
                        TokenRow* replaced);

// The same of one more session of the user, which ends that one of too many that was used longest
// ago: nobody is locked out by what was left open elsewhere. Says so in `entry`.
Status MakeRoomForSession(Transaction& transaction, const PrincipalId& user, Timestamp now,
                          audit::Entry& entry);

// The token, and all that were issued in its place since, with an entry for each of these.
Status RevokeWithDescendants(Transaction& transaction, TokenRow& token);

}  // namespace coffer::vault
