#include "vault/clients/client_erasure.h"

#include "vault/catalog/action.h"

namespace coffer::vault {

bool ErasesClient(const audit::Entry& entry) {
  if (entry.outcome != "ok" || entry.decision != audit::Decision::kAllow) return false;
  return entry.action == Name(Action::kClientErase) ||
         (entry.action == kErasureReplayed && entry.detail.ends_with("; scope client")) ||
         (entry.action == kRetentionErase &&
          entry.detail.find("; scope client;") != std::string::npos);
}

}  // namespace coffer::vault
