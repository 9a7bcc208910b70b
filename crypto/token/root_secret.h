// The root secret, wrapped and unwrapped by a key that does not leave the token. In the process
// coffer-token only.
#pragma once

#include "crypto/internal/token_messages.h"
#include "crypto/token/session.h"

namespace coffer::crypto::token {

// As MakeTokenRoot and OpenTokenRoot.
Result<internal::TokenAnswer> MakeRoot(Session& session, const TokenUri& uri,
                                       const SecretBytes& root_secret);
Result<internal::TokenAnswer> OpenRoot(Session& session, const TokenRoot& root);

}  // namespace coffer::crypto::token
