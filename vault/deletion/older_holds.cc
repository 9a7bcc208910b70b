#include "vault/deletion/older_holds.h"

#include "vault/clients/clients_state.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/hold_text.h"

namespace coffer::vault {

Result<IndexBuilder::OlderSealed> SealHolds(const crypto::Keyring& keyring,
                                            Transaction& transaction, const HoldId& after) {
  constexpr std::size_t kHoldsAtOnce = 200;
  HoldStore& store = transaction.Of<DeletionState>().stores.holds;
  COFFER_ASSIGN(const auto holds, store.ListUnsealed(after, kHoldsAtOnce));
  IndexBuilder::OlderSealed done;
  done.what = "words of holds sealed: ";
  for (const Hold& hold : holds) {
    done.last = hold.id.value;
    COFFER_ASSIGN(const auto generation,
                  transaction.Of<ClientsState>().stores.clients.FindGeneration(*hold.terms.client));
    const auto key = transaction.UnwrapKey({*hold.terms.client, generation.value_or(0)});
    if (!key && key.error().code == Code::kUnavailable) return std::unexpected(key.error());
    if (!key) continue;
    COFFER_TRY(store.PutSealed(hold.id, SealHoldText(keyring, key->Expose(), hold)));
    ++done.sealed;
  }
  return done;
}

}  // namespace coffer::vault
