// Where backups go: [[backup.destination]] of coffer.toml.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/documents/backup_manifest.h"

namespace coffer::vault {

struct BackupDestination {
  std::string name;
  audit::BackupKind kind = audit::BackupKind::kData;
  std::string directory;
  std::uint32_t keep_days = 0;  // generations that are older go; 0: they stay
};

struct BackupOptions {
  std::vector<BackupDestination> backup_destinations;
};

}  // namespace coffer::vault
