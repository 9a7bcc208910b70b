// Who was erased does not come back with the next file, unless it is said that this is meant.
#include "crypto/blind_index.h"
#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/clients/client_operations.h"
#include "vault/clients/sealing_contexts.h"

namespace coffer::vault {

// Of a domain of its own: it matches no token of a client that is there. The index key must stay as
// long as the tokens do, for what they were made of is gone.
BlindToken ErasedReferenceToken(const crypto::Keyring& keyring, std::string_view external_ref) {
  return crypto::ComputeBlindToken(keyring.blind_index_key(), "erased/external_ref", external_ref);
}

Result<std::optional<BlindToken>> TokenOfErased(const Operations& operations,
                                                Transaction& transaction, const ClientRow& client) {
  if (client.ref.empty()) return std::nullopt;
  const auto key = transaction.PinKey(client.id);
  // What does not open must not keep the client from being erased.
  if (!key && (key.error().code == Code::kNotFound || key.error().code == Code::kCorrupted)) {
    return std::nullopt;
  }
  if (!key) return std::unexpected(key.error());
  auto plain = key->Expose().Open(ClientContext(operations.keyring(), client.id, client.version),
                                  client.profile);
  if (!plain) return std::nullopt;
  const BlindToken token = ErasedReferenceToken(operations.keyring(), crypto::AsText(*plain));
  crypto::Wipe(*plain);
  return token;
}

Status RequireNotErasedBefore(const Operations& operations, Transaction& transaction, Call& call,
                              std::string_view external_ref, bool accepted) {
  if (external_ref.empty()) return {};
  COFFER_ASSIGN(const auto erasure, transaction.stores().erasures.FindByReference(
                                        ErasedReferenceToken(operations.keyring(), external_ref)));
  if (!erasure) return {};
  // Not which: the log does not tie who comes back to what it says of who was erased.
  if (accepted) {
    AddDetail(call.entry, "erased_before accepted");
    return {};
  }
  Error error{Code::kConflict, kErasedBefore, {}, {}};
  COFFER_ASSIGN(const auto may, operations.DecideFor(transaction, call, Action::kErasureRead,
                                                     std::nullopt, nullptr));
  std::string message = "is that of a client which was erased";
  if (may.allowed) {
    AddDetail(call.entry, erasure->id.Text());
    message += " at " + audit::FormatTimestamp(erasure->erased) + " by " + erasure->id.Text();
  }
  error.issues.push_back({"/external_ref", std::move(message)});
  return std::unexpected(std::move(error));
}

}  // namespace coffer::vault
