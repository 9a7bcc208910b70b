#include "vault/backup/open_store.h"

#include <utility>

#include "vault/backup/directory_store.h"
#include "vault/backup/s3_store.h"

namespace coffer::vault {

Result<std::shared_ptr<BackupStore>> OpenStore(const StorePlace& place,
                                               std::function<bool()> interrupted) {
  if (!place.in_s3()) return OpenDirectoryStore(place.where);
  COFFER_ASSIGN(auto address, ParseS3Address(place.where));
  COFFER_TRY(CheckS3Options(place.s3));
  return OpenS3Store(std::move(address), place.s3, std::move(interrupted));
}

}  // namespace coffer::vault
