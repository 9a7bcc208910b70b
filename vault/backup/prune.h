// What a repository keeps, and what no longer.
#pragma once

#include <cstdint>

#include "crypto/result.h"
#include "vault/backup/repository.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// Removes generations from before `since`, but never the newest one, and every object that none of
// those that stay needs. Returns how many generations went. What a manifest that cannot be read
// would need is not known: then no object is removed. Errors: those of Repository.
Result<std::uint64_t> PruneRepository(const Repository& repository, Timestamp since);

}  // namespace coffer::vault
