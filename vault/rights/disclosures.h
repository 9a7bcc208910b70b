// The register of disclosures: what was given to recipients. Exports write their own
// (vault/access/telling.h); what was given outside the vault is told by hand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/disclosure.h"
#include "vault/access/operations.h"
#include "vault/base/page.h"

namespace coffer::vault {

inline constexpr std::size_t kMostDisclosedAtOnce = 1000;

// Who was given, with which of their classes; none: it is not known which.
struct GivenClients {
  std::vector<ClientId> clients;  // at most kMostDisclosedAtOnce
  std::vector<std::string> classes;
};

// As it is listed; with the client where the list is of one.
struct ListedDisclosure {
  Disclosure disclosure;
  std::optional<DisclosedClient> client;
};

class Disclosures {
 public:
  explicit Disclosures(const Operations& operations) : operations_(operations) {}

  // Takes a reason, which is kept under the clients' keys. Errors of both: kInvalidArgument
  // "reason_required"; kUnprocessable "disclosure_invalid" with issues, "recipient_unknown";
  // kConflict "recipient_ended".
  Result<Disclosure> RecordDisclosure(const Caller& caller, const RecipientId& recipient,
                                      const DisclosureFacts& facts, const GivenClients& given);
  // More clients of one that was told by hand. Errors: kConflict "disclosure_made_by_export".
  Result<Disclosure> AddClients(const Caller& caller, const DisclosureId& id,
                                const GivenClients& given);

  Result<Disclosure> GetDisclosure(const Caller& caller, const DisclosureId& id);
  // The newest first. For who may see all clients, or of one that may be seen.
  Result<Page<ListedDisclosure>> ListDisclosures(const Caller& caller,
                                                 const std::optional<RecipientId>& recipient,
                                                 const std::optional<ClientId>& client,
                                                 const PageRequest& page);
  // In the order of their ids, those that are the caller's to see. A page looks at 1000 at most.
  Result<Page<DisclosedClient>> ListClients(const Caller& caller, const DisclosureId& id,
                                            const PageRequest& page);

 private:
  Status Add(Transaction& transaction, Call& call, const Disclosure& disclosure,
             const GivenClients& given, std::uint64_t& fresh) const;

  const Operations& operations_;
};

// Who was erased is seen by who sees all.
Result<bool> MaySeeDisclosed(const Operations& operations, Transaction& transaction,
                             const Call& call, const ClientId& client);

}  // namespace coffer::vault
