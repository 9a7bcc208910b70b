#include "vault/rights/package_step.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kPreparedWord = " prepared", kRevokedWord = " revoked",
                           kPartWord = " part ", kLastWord = ", the last",
                           kReceiptWord = " receipt";
constexpr std::size_t kPackageIdLength = PackageTag::kPrefix.size() + 26;

}  // namespace

std::string PackageDetail(const PackageId& id, PackageStep step, std::uint64_t part) {
  std::string detail = id.Text();
  switch (step) {
    case PackageStep::kPrepared:
      return detail.append(kPreparedWord);
    case PackageStep::kRevoked:
      return detail.append(kRevokedWord);
    case PackageStep::kReceipt:
      return detail.append(kReceiptWord);
    case PackageStep::kPart:
      return detail.append(kPartWord).append(std::to_string(part));
    case PackageStep::kLastPart:
      return detail.append(kPartWord).append(std::to_string(part)).append(kLastWord);
  }
  return detail;
}

std::optional<PackageStep> PackageStepOf(std::string_view detail) {
  // The ticket of the call stands first.
  if (detail.starts_with("ticket ")) {
    const auto end = detail.find("; ");
    if (end == detail.npos) return std::nullopt;
    detail.remove_prefix(end + 2);
  }
  if (!detail.starts_with(PackageTag::kPrefix) || detail.size() < kPackageIdLength) {
    return std::nullopt;
  }
  detail = detail.substr(0, detail.find(';')).substr(kPackageIdLength);
  if (detail.starts_with(kPreparedWord)) return PackageStep::kPrepared;
  if (detail.starts_with(kRevokedWord)) return PackageStep::kRevoked;
  if (detail.starts_with(kReceiptWord)) return PackageStep::kReceipt;
  return detail.ends_with(kLastWord) ? PackageStep::kLastPart : PackageStep::kPart;
}

}  // namespace coffer::vault
