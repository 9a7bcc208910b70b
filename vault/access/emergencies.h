// Emergency access: one client, at once, by whoever may take it, and reviewed afterwards.
#pragma once

#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/access_store.h"
#include "vault/access/caller.h"
#include "vault/access/emergency.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"

namespace coffer::vault {

// As it is shown.
EmergencyAccess InfoOf(const EmergencyRow& row);

class Emergencies {
 public:
  explicit Emergencies(const Operations& operations) : operations_(operations) {}

  // Errors: kUnprocessable "emergency_invalid" with issues.
  Result<EmergencyAccess> OpenEmergency(const Caller& caller, const ClientId& client,
                                        const EmergencyRequest& request);
  Result<std::vector<EmergencyAccess>> ListEmergencies(const Caller& caller);
  // Ends the access where it still goes on. Errors: kPermissionDenied "own_request"; kConflict
  // "already_reviewed".
  Result<EmergencyAccess> ReviewEmergency(const Caller& caller, const EmergencyId& id,
                                          std::string_view finding);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
