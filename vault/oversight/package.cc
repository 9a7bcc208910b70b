#include "vault/oversight/package.h"

#include <algorithm>
#include <array>

namespace coffer::vault {
namespace {

constexpr std::array<std::string_view, 4> kPackageStates = {"prepared", "handed_out", "expired",
                                                            "revoked"};

}  // namespace

std::string_view Name(PackageState state) {
  return kPackageStates[static_cast<std::size_t>(state)];
}

std::optional<PackageState> PackageStateFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kPackageStates, name);
  if (found == kPackageStates.end()) return std::nullopt;
  return static_cast<PackageState>(found - kPackageStates.begin());
}

PackageState StateOf(const PackageRow& row, Timestamp now) {
  if (row.revoked) return PackageState::kRevoked;
  if (row.handed_out) return PackageState::kHandedOut;
  return now < row.expires ? PackageState::kPrepared : PackageState::kExpired;
}

}  // namespace coffer::vault
