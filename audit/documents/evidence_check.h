// Whether an evidence bundle's content is what it says, without its archive and manifest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "audit/documents/evidence.h"

namespace coffer::audit {

inline constexpr std::size_t kMaxEvidenceKeys = 100;

void AddFinding(EvidenceReport& report, std::optional<std::uint64_t> seq, std::string check,
                std::string message);

// Fills in what the manifest does not say: checkpoint, counts, times, completeness, findings.
void CheckEvidence(const Evidence& evidence, const VerifierKey& trusted, EvidenceReport& report);

}  // namespace coffer::audit
