// The register's own retention.
#pragma once

#include "crypto/result.h"
#include "vault/access/operations.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// Requests that were closed so long ago that their regime keeps them no longer, with their steps;
// each leaves an entry. Nothing of a regime that is not there. For who believes the clock: `now`.
Status PurgeRequests(const Operations& operations, Timestamp now);

}  // namespace coffer::vault
