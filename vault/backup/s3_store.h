// A repository in an S3-compatible store: an object a name, below the prefix of its address.
#pragma once

#include <functional>
#include <memory>

#include "vault/backup/backup_store.h"
#include "vault/backup/store_place.h"

namespace coffer::vault {

// What is there already is not written over, where the store knows If-None-Match. Nobody is kept
// out by a claim. A bucket with versions keeps what is removed; one with object lock may refuse it.
std::shared_ptr<BackupStore> OpenS3Store(S3Address address, S3Options options,
                                         std::function<bool()> interrupted);

}  // namespace coffer::vault
