// The store of a place.
#pragma once

#include <functional>
#include <memory>

#include "crypto/result.h"
#include "vault/backup/backup_store.h"
#include "vault/backup/store_place.h"

namespace coffer::vault {

// Nothing is asked of it yet. What waits for it ends soon once `interrupted`. Errors:
// kInvalidArgument "destination_malformed".
Result<std::shared_ptr<BackupStore>> OpenStore(const StorePlace& place,
                                               std::function<bool()> interrupted = {});

}  // namespace coffer::vault
