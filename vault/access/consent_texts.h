// The register of consent texts.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/catalog/consent_text.h"

namespace coffer::vault {

class ConsentTexts {
 public:
  explicit ConsentTexts(const Operations& operations) : operations_(operations) {}

  // A further version of the text; the one that is there, where it says the same. What is stored
  // stays. Errors: kUnprocessable "consent_text_invalid" with issues, kConflict
  // "too_many_consent_texts".
  Result<ConsentText> PutConsentText(const Caller& caller, std::string_view name,
                                     const ConsentTextRequest& request);
  // All versions of all texts; of their wordings the hashes.
  Result<std::vector<ConsentText>> ListConsentTexts(const Caller& caller);
  // The newest, or this version.
  Result<ConsentText> GetConsentText(const Caller& caller, std::string_view name,
                                     std::optional<std::uint64_t> version);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
