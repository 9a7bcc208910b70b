// Whether a token can be used, and what came in its place.
#pragma once

#include <unordered_map>
#include <vector>

#include "vault/access/principal_store.h"
#include "vault/access/token.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// What was issued last in the place of each of a list of tokens, in the order of their ids.
class TokenHeirs {
 public:
  explicit TokenHeirs(const std::vector<const TokenRow*>& tokens);
  // With its state at `now`.
  TokenInfo Describe(const TokenRow& row, const PrincipalRow& principal, Timestamp now) const;

 private:
  std::unordered_map<TokenId, TokenId, IdHash> heirs_;
};

}  // namespace coffer::vault
