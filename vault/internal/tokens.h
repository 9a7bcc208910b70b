// Making tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/keyring.h"
#include "vault/internal/registry_store.h"
#include "vault/vault.h"

namespace coffer::vault {

// A new principal with its first token: "cft_" and 256 random bits in base64url, given out through
// `secret` once; the row holds its keyed hash.
TokenRow MakeToken(const crypto::Keyring& keyring, std::string_view name, std::string_view role,
                   Timestamp now, std::int64_t lifetime_ms, std::string& secret);
TokenInfo InfoOf(const TokenRow& row);

}  // namespace coffer::vault
