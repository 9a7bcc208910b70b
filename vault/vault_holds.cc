// Holds: what may not be deleted, and until when.
#include "vault/internal/core.h"
#include "vault/vault.h"

namespace coffer::vault {

Status Vault::Core::RequireNoHold(Transaction&, Call&, const ClientRow&,
                                  const std::set<std::string, std::less<>>&) const {
  return {};
}

}  // namespace coffer::vault
