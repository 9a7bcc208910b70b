// What an erasure takes, and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace coffer::vault {

// What goes: the client with all there is, or the records of a class, or single records. Where
// something stays it is sealed again under a new key, and the old key is destroyed.
enum class ErasureScope : std::uint8_t { kClient = 1, kClass, kRecords };

std::string_view Name(ErasureScope scope);

// Why: "request" (GDPR 17(1)(c), PIPL 47), "consent-withdrawn" (GDPR 17(1)(b), 152-FZ 21(5)),
// "purpose-reached" (GDPR 17(1)(a), 152-FZ 21(4)), "contract-end", "unlawful" (GDPR 17(1)(d),
// 152-FZ 20(3), 21(3)), "retention": by the schedule. "replayed": asked for earlier, and found in
// the ledger when an older state of the vault was opened.
enum class ErasureBasis : std::uint8_t {
  kRequest = 1,
  kConsentWithdrawn,
  kPurposeReached,
  kContractEnd,
  kUnlawful,
  kRetention,
  kReplayed
};

std::string_view Name(ErasureBasis basis);

std::optional<ErasureBasis> ErasureBasisFromName(std::string_view name);

}  // namespace coffer::vault
