// Where backups go: [[backup.destination]] of coffer.toml.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/documents/backup_manifest.h"
#include "vault/backup/store_place.h"

namespace coffer::vault {

// So many hours, days, … (of UTC; weeks begin on Monday), of those that have a generation, keep the
// last one that was made in them.
struct KeepCounts {
  std::uint32_t hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0;
  bool any() const { return hourly + daily + weekly + monthly + yearly > 0; }
};

struct BackupDestination {
  std::string name;
  audit::BackupKind kind = audit::BackupKind::kData;
  std::string directory;  // or https://HOST/BUCKET/PREFIX
  // Generations stay for as many days, and by the counts; with neither they all stay.
  std::uint32_t keep_days = 0;
  S3Options s3 = {};
  KeepCounts keep = {};     // of data alone
  std::string medium = {};  // what it lies on, in the operator's word; empty: not said
  bool off_site = false;    // where a fire does not reach both

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
  std::string backup_medium;                   // of the vault's own directory
  std::uint32_t backup_drill_days = 0;         // a drill is asked for as often; 0: none is
};

}  // namespace coffer::vault
