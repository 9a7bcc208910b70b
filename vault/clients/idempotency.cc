#include "vault/clients/idempotency.h"

#include "vault/access/call.h"
#include "vault/clients/clients_state.h"

namespace coffer::vault {

std::optional<IdempotencyKeys> HashIdempotency(const crypto::Keyring& keyring, const Call& call,
                                               std::string_view target,
                                               const Idempotency& idempotency) {
  if (idempotency.key.empty()) return std::nullopt;
  // What was shown stands for its principal: each has its own keys.
  crypto::Hash digest = call.digest.value_or(crypto::Hash{});
  if (!call.digest && call.caller.certificate && !call.caller.certificate->bindings.empty()) {
    digest = crypto::Sha256(crypto::AsBytes(call.caller.certificate->bindings.front()));
  }
  return IdempotencyKeys{
      crypto::KeyedHash(keyring.token_hash_key(),
                        {crypto::AsBytes("idempotency"), digest, crypto::AsBytes(Name(call.action)),
                         crypto::AsBytes(target), crypto::AsBytes(idempotency.key)}),
      crypto::KeyedHash(keyring.token_hash_key(),
                        {crypto::AsBytes("idempotent body"), crypto::AsBytes(idempotency.body)})};
}

Result<std::optional<Id128>> FindRepeated(Transaction& transaction,
                                          const std::optional<IdempotencyKeys>& keys) {
  if (!keys) return std::nullopt;
  COFFER_ASSIGN(const auto row, transaction.Of<ClientsState>().stores.idempotency.Find(keys->key));
  if (!row) return std::nullopt;
  if (!crypto::ConstantTimeEqual(row->body, keys->body)) {
    return Fail(Code::kUnprocessable, "idempotency_key_reused");
  }
  return row->object;
}

}  // namespace coffer::vault
