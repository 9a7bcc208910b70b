#include "vault/engine/erasure_scope.h"

#include <algorithm>
#include <utility>

namespace coffer::vault {
namespace {

constexpr std::pair<ErasureBasis, std::string_view> kBases[] = {
    {ErasureBasis::kRequest, "request"},
    {ErasureBasis::kConsentWithdrawn, "consent-withdrawn"},
    {ErasureBasis::kPurposeReached, "purpose-reached"},
    {ErasureBasis::kContractEnd, "contract-end"},
    {ErasureBasis::kUnlawful, "unlawful"},
    {ErasureBasis::kRetention, "retention"},
    {ErasureBasis::kReplayed, "replayed"},
};
constexpr std::pair<ErasureScope, std::string_view> kScopes[] = {
    {ErasureScope::kClient, "client"},
    {ErasureScope::kClass, "class"},
    {ErasureScope::kRecords, "records"},
};

}  // namespace

std::string_view Name(ErasureScope scope) {
  return std::ranges::find(kScopes, scope, &std::pair<ErasureScope, std::string_view>::first)
      ->second;
}

std::string_view Name(ErasureBasis basis) {
  return std::ranges::find(kBases, basis, &std::pair<ErasureBasis, std::string_view>::first)
      ->second;
}

std::optional<ErasureBasis> ErasureBasisFromName(std::string_view name) {
  for (const auto& [basis, known] : kBases) {
    if (known == name) return basis;
  }
  return std::nullopt;
}

}  // namespace coffer::vault
