// Where backups go: [[backup.destination]] of coffer.toml.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/documents/backup_manifest.h"
#include "vault/backup/store_place.h"

namespace coffer::vault {

struct BackupDestination {
  std::string name;
  audit::BackupKind kind = audit::BackupKind::kData;
  std::string directory;        // or https://HOST/BUCKET/PREFIX
  std::uint32_t keep_days = 0;  // generations that are older go; 0: they stay
  S3Options s3 = {};

  StorePlace place() const { return {directory, s3}; }
};

// Where a path leads, behind links and with a slash at its end: one place lies in another when its
// text begins with the other's. What cannot be looked at is taken as it is written; a URL always
// is.
std::string PlaceOf(const std::string& path);

struct BackupOptions {
  std::vector<BackupDestination> backup_destinations;
  std::uint32_t backup_every_hours = 0;        // a generation, by the vault itself; 0: none
  std::uint32_t backup_increment_seconds = 0;  // between increments; 0: none are made
};

}  // namespace coffer::vault
