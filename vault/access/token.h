// Tokens of services.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vault/access/token_limits.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// Whether a token can be used, and why not. That of a disabled service cannot, until it is enabled.
enum class TokenState { kActive, kDisabled, kExpired, kRevoked, kRotated };

std::string_view Name(TokenState state);

std::optional<TokenState> TokenStateFromName(std::string_view name);

struct TokenInfo {
  TokenId id;
  PrincipalId principal;
  std::string name;  // of the token
  std::string role;  // of its principal
  TokenLimits limits;
  Timestamp created, expires;
  std::optional<Timestamp> revoked;
  TokenState state = TokenState::kActive;
  std::optional<std::int64_t> expires_in_s = {};  // of an active one
  std::optional<TokenId> replaced_by = {};        // what was issued last in its place
};

// Empty members do not filter.
struct TokenFilter {
  std::optional<TokenState> state = {};
  std::string principal = {};  // a service's id or name
};

struct NewToken {
  TokenInfo info;
  std::string secret;  // shown once; only a keyed hash is stored
};

struct TokenRequest {
  std::string name;
  std::optional<PrincipalId> principal;  // a service; absent: a new one of this name and `role`
  std::string role;
  std::int64_t lifetime_s = 0;  // 60 s to 366 days
  TokenLimits limits;
};

}  // namespace coffer::vault
