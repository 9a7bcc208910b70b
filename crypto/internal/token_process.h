// One question to coffer-token: started, asked, waited for, and gone when this returns.
#pragma once

#include <chrono>

#include "crypto/internal/token_messages.h"

namespace coffer::crypto::internal {

// Errors: those of the answer; "token_helper_missing"; "token_module_crashed" and
// "token_module_hangs", where it died or was ended after `limit`.
Result<TokenAnswer> AskToken(const TokenRequest& request, std::chrono::milliseconds limit);

}  // namespace coffer::crypto::internal
