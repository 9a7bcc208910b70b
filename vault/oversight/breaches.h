// The register of breaches (GDPR 33(5)): opened, noted, its scope counted, whom it was told to, and
// closed. Each of these is an entry in the log, and nothing of it is ever altered or removed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/page.h"
#include "vault/oversight/breach.h"
#include "vault/oversight/breach_scope.h"
#include "vault/oversight/breach_scopes.h"

namespace coffer::vault {

enum class BreachesAsked : std::uint8_t { kAll, kOpen, kClosed };

class Breaches {
 public:
  Breaches(const Operations& operations, BreachScopes& scopes)
      : operations_(operations), scopes_(scopes) {}

  // Errors of all that say something: kUnprocessable "breach_invalid" with issues; kConflict
  // "breach_closed", "breach_too_long".
  Result<Breach> OpenBreach(const Caller& caller, const BreachFacts& facts);
  // What is known now: it counts from here on, what was said before stays.
  Result<Breach> NoteBreach(const Caller& caller, const BreachId& id, const BreachFacts& facts);
  // Counts the scope, and keeps the counts with the size of the log that they were found at. Takes
  // "breach.scope" too. Errors: also those of BreachScopes.
  Result<Breach> ScopeBreach(const Caller& caller, const BreachId& id,
                             const ScopeCriteria& criteria);
  // One that is late says why.
  Result<Breach> NotifyOfBreach(const Caller& caller, const BreachId& id,
                                const BreachNotice& notice);
  // Says why an authority whose clock runs is not told, where one is not.
  Result<Breach> CloseBreach(const Caller& caller, const BreachId& id,
                             const BreachClosing& closing);

  Result<Breach> GetBreach(const Caller& caller, const BreachId& id);
  // The newest first.
  Result<Page<Breach>> ListBreaches(const Caller& caller, BreachesAsked asked,
                                    const PageRequest& page);

 private:
  // Appends to an open breach; `check` sees it as it is before.
  Result<Breach> Say(const Caller& caller, const BreachId& id, BreachStep step,
                     const std::string& document,
                     FunctionRef<std::vector<Issue>(const Breach&)> check);

  const Operations& operations_;
  BreachScopes& scopes_;
};

}  // namespace coffer::vault
