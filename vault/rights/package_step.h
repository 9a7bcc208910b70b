// What entries of client.package say of an access package. Its preparation discloses nothing, and
// only the last part shows that all of it was handed out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vault/base/ids.h"

namespace coffer::vault {

enum class PackageStep : std::uint8_t {
  kPrepared,
  kRevoked,
  kPart,
  kLastPart,
  kReceipt,  // entries and proofs of its parts
};

// As an entry's detail: "pkg_… part 2, the last". `part`: of kPart and kLastPart.
std::string PackageDetail(const PackageId& id, PackageStep step, std::uint64_t part = 0);
// nullopt: the entry is of a client's package that was handed out without being prepared
// (vault/clients/exports.h).
std::optional<PackageStep> PackageStepOf(std::string_view detail);

}  // namespace coffer::vault
