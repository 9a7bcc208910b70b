// The register of recipients: created, changed, bound to accounts of the vault's, ended. Each of
// these is an entry in the log, and nothing of it is ever altered or removed.
#pragma once

#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/recipient.h"
#include "vault/base/function_ref.h"
#include "vault/base/page.h"

namespace coffer::vault {

enum class RecipientsAsked : std::uint8_t { kAll, kCurrent, kEnded };

class Recipients {
 public:
  explicit Recipients(const Operations& operations) : operations_(operations) {}

  // Errors of all that write: kUnprocessable "recipient_invalid" with issues; kConflict
  // "recipient_ended", "recipient_too_long" after 1,000 events, "too_many_recipients" where there
  // are 10,000.
  Result<Recipient> CreateRecipient(const Caller& caller, const RecipientFacts& facts);
  // In the place of all that was said; what says the same changes nothing.
  Result<Recipient> ChangeRecipient(const Caller& caller, const RecipientId& id,
                                    const RecipientFacts& facts);
  // It is given nothing more. What it was given stays known, and so it is told.
  Result<Recipient> EndRecipient(const Caller& caller, const RecipientId& id);
  // What a user or service is shown from now on is disclosed to the recipient; or no more. What is
  // so already changes nothing. Errors: kUnprocessable "principal_unknown"; kConflict
  // "principal_bound" to another recipient.
  Result<Recipient> BindPrincipal(const Caller& caller, const RecipientId& id,
                                  const PrincipalId& principal);
  Result<Recipient> UnbindPrincipal(const Caller& caller, const RecipientId& id,
                                    const PrincipalId& principal);

  Result<Recipient> GetRecipient(const Caller& caller, const RecipientId& id);
  // The newest first, without their histories.
  Result<Page<Recipient>> ListRecipients(const Caller& caller, RecipientsAsked asked,
                                         const PageRequest& page);

 private:
  // One event, where `work` says that there is one.
  Result<Recipient> Say(const Caller& caller, const RecipientId& id, RecipientStep step,
                        FunctionRef<Result<bool>(Transaction&, Recipient&, std::string&)> work);

  const Operations& operations_;
};

}  // namespace coffer::vault
