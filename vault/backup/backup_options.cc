#include "vault/backup/backup_options.h"

#include <filesystem>
#include <system_error>

namespace coffer::vault {

std::string PlaceOf(const std::string& path) {
  if (StorePlace(path).in_s3()) return path + "/";
  std::error_code error;
  const auto written = std::filesystem::absolute(path, error);
  const auto found = std::filesystem::weakly_canonical(written, error);
  return ((error ? written : found) / "").lexically_normal().string();
}

}  // namespace coffer::vault
