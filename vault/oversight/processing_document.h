// What the vault cannot know of the processing, as a document: who the controller is, whose data it
// is, who gets it outside (GDPR Art. 30(1), 152-FZ Art. 22(3), PIPL Art. 55).
//
//   {"controller": {"name": "…", "address": "…", "contact": "…"},
//    "data_protection_officer": {…}, "representative": {…}, "joint_controllers": [{…}],
//    "data_subjects": [{"name": "…", "description": "…"}],
//    "recipients": [{"name": "…", "description": "…", "country": "DE"}],
//    "transfers": [{"name": "…", "country": "US", "safeguards": "…"}],
//    "measures": ["…"], "begun": "2026-01-01", "database_location": "…",
//    "impact_assessment": "…", "none": {"transfers": "why there are none"}}
//
// docs/registers.md has the grammar. Unknown members are refused; what is not there yet is missing
// in the register, and no fault.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "crypto/result.h"

namespace coffer::vault {

inline constexpr std::size_t kMaxProcessingDocument = 256 * 1024;

// Canonical JSON. Errors: those of ParseStrictJson; kTooLarge "document_too_large"; kUnprocessable
// "processing_invalid" with issues.
Result<std::string> ParseProcessingDocument(std::string_view json);

}  // namespace coffer::vault
