#include "vault/access/token_state.h"

#include "vault/access/secrets.h"
#include "vault/access/token.h"

namespace coffer::vault {
namespace {

constexpr TokenState kTokenStates[] = {TokenState::kActive, TokenState::kDisabled,
                                       TokenState::kExpired, TokenState::kRevoked,
                                       TokenState::kRotated};

}  // namespace

std::string_view Name(TokenState state) {
  switch (state) {
    case TokenState::kActive:
      return "active";
    case TokenState::kDisabled:
      return "disabled";
    case TokenState::kExpired:
      return "expired";
    case TokenState::kRevoked:
      return "revoked";
    case TokenState::kRotated:
      return "rotated";
  }
  return "";
}

std::optional<TokenState> TokenStateFromName(std::string_view name) {
  for (const TokenState state : kTokenStates) {
    if (Name(state) == name) return state;
  }
  return std::nullopt;
}

TokenHeirs::TokenHeirs(const std::vector<const TokenRow*>& tokens) {
  for (const TokenRow* row : tokens) {
    if (row->parent) heirs_.insert_or_assign(*row->parent, row->id);
  }
}

TokenInfo TokenHeirs::Describe(const TokenRow& row, const PrincipalRow& principal,
                               Timestamp now) const {
  TokenInfo info = InfoOf(row, principal);
  if (const auto heir = heirs_.find(row.id); heir != heirs_.end()) info.replaced_by = heir->second;
  // Of one that was replaced `expires` is when the time of both ended.
  if (row.revoked) {
    info.state = TokenState::kRevoked;
  } else if (row.expires <= now) {
    info.state = info.replaced_by ? TokenState::kRotated : TokenState::kExpired;
  } else if (principal.disabled) {
    info.state = TokenState::kDisabled;
  } else {
    info.expires_in_s = (row.expires.ms - now.ms) / 1000;
  }
  return info;
}

}  // namespace coffer::vault
