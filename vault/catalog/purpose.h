// The register of purposes: why data may be processed (GDPR Art. 5(1)(b), 30(1)(b)).
//
//   {"title": "…", "legal_basis": "contract", "owner": "…", "description": "…",
//    "classes": ["contact"], "requires_consent": true}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"

namespace coffer::vault {

struct Purpose {
  std::string code;         // [a-z][a-z0-9-]{0,63}
  std::string title;        // required
  std::string legal_basis;  // one of kLegalBases
  std::string owner;        // who answers for it; optional
  std::string description;  // optional
  // The classes it may touch, sorted; empty: every class that allows it.
  std::vector<std::string> classes;
  // Nothing is disclosed or changed for it without a consent of the client that stands.
  bool requires_consent = false;

  bool MayTouch(std::string_view class_name) const;
};

// GDPR Art. 6(1).
inline constexpr std::string_view kLegalBases[] = {"consent",          "contract",
                                                   "legal-obligation", "vital-interests",
                                                   "public-task",      "legitimate-interests"};
inline constexpr std::string_view kLegalBasisRule =
    "must be one of consent, contract, legal-obligation, vital-interests, public-task, "
    "legitimate-interests";
bool IsLegalBasis(std::string_view text);

bool IsPurposeCode(std::string_view code);
// Errors: those of ParseStrictJson; kUnprocessable "purpose_invalid" with issues.
Result<Purpose> ParsePurpose(std::string_view code, std::string_view json);
std::string FormatPurpose(const Purpose& purpose);  // the JSON object, with "code"

}  // namespace coffer::vault
