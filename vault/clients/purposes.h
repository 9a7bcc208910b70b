// The register of purposes.
#pragma once

#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/catalog/purpose.h"

namespace coffer::vault {

class Purposes {
 public:
  explicit Purposes(const Operations& operations) : operations_(operations) {}

  Result<Purpose> GetPurpose(const Caller& caller, std::string_view code);
  Result<std::vector<Purpose>> ListPurposes(const Caller& caller);
  Result<Purpose> PutPurpose(const Caller& caller, std::string_view code,
                             std::string_view definition);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
