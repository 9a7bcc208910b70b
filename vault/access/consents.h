// Consents of clients: given, proven, withdrawn.
#pragma once

#include <optional>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/consent.h"
#include "vault/access/operations.h"
#include "vault/base/ids.h"

namespace coffer::vault {

// As it is told: whether it stands at that moment.
struct ToldConsent {
  Consent consent;
  bool stands = false;
};

class Consents {
 public:
  explicit Consents(const Operations& operations) : operations_(operations) {}

  // Beside those that there are. Errors: kUnprocessable "consent_invalid" with issues, kConflict
  // "too_many_consents".
  Result<ToldConsent> GiveConsent(const Caller& caller, const ClientId& client,
                                  const ConsentRequest& request);
  // Withdrawn and expired ones too.
  Result<std::vector<ToldConsent>> ListConsents(const Caller& caller, const ClientId& client);
  Result<ToldConsent> GetConsent(const Caller& caller, const ClientId& client, const ConsentId& id);
  // And with it whatever else of the client stands for the same purpose: who withdraws does not
  // want to know how often they agreed. Of one that is withdrawn nothing changes. Told without the
  // words, which are for who may read them.
  Result<ToldConsent> WithdrawConsent(const Caller& caller, const ClientId& client,
                                      const ConsentId& id, std::optional<ConsentChannel> channel);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
