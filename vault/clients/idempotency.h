// A request that may be repeated without being done again.
#pragma once

#include <optional>
#include <string_view>

#include "crypto/hash.h"
#include "vault/access/call.h"

namespace coffer::vault {

// Idempotency-Key of a request and the bytes of its body; an empty key means none.
struct Idempotency {
  std::string_view key;
  std::string_view body;
};

struct IdempotencyKeys {
  crypto::Hash key{}, body{};
};
// Nothing where the request has none.
std::optional<IdempotencyKeys> HashIdempotency(const crypto::Keyring& keyring, const Call& call,
                                               std::string_view target,
                                               const Idempotency& idempotency);
// The object a repeated request made before. Errors: kUnprocessable "idempotency_key_reused".
Result<std::optional<Id128>> FindRepeated(Transaction& transaction,
                                          const std::optional<IdempotencyKeys>& keys);

}  // namespace coffer::vault
