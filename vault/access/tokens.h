// Tokens of services.
#pragma once

#include <cstdint>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/session.h"
#include "vault/access/token.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/ids.h"
#include "vault/base/page.h"

namespace coffer::vault {

class Tokens {
 public:
  Tokens(const Operations& operations, const TwoPersonRule& two_person)
      : operations_(operations), two_person_(two_person) {}

  // Errors: kUnprocessable "token_invalid" with issues; "principal_unknown"; kConflict
  // "too_many_tokens" where the service has 50 that can be used.
  Result<NewToken> CreateToken(const Caller& caller, const TokenRequest& request);
  // A new token in the place of one that is valid, which goes on for `overlap_s` (at most 7 days).
  // Its holder may, for as long as it was given for; others need token.create. Errors: kConflict
  // "token_ended", "too_many_tokens".
  Result<NewToken> RotateToken(const Caller& caller, const TokenId& id, std::int64_t overlap_s);
  // In the order of their ids. Errors: kInvalidArgument "filter_unknown" with an issue for a
  // principal that nobody is.
  Result<Page<TokenInfo>> ListTokens(const Caller& caller, const TokenFilter& filter,
                                     const PageRequest& page);
  // With all that were issued in its place.
  Result<TokenInfo> RevokeToken(const Caller& caller, const TokenId& id);
  Result<WhoIs> WhoAmI(const Caller& caller);

 private:
  const Operations& operations_;
  const TwoPersonRule& two_person_;
};

}  // namespace coffer::vault
