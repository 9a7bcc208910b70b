// What a repository keeps, and what no longer.
#pragma once

#include <cstdint>
#include <optional>

#include "crypto/result.h"
#include "vault/backup/repository.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// Removes generations from before `since`, but never the newest one. Where one went, or `sweep`
// says that there may be some, every object that none of those that stay needs goes too, unless a
// manifest that stays cannot be read: what it needs is not known. Returns how many generations
// went. Errors: those of Repository.
Result<std::uint64_t> PruneRepository(const Repository& repository, std::optional<Timestamp> since,
                                      bool sweep);

}  // namespace coffer::vault
