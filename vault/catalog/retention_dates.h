// From which field of its class a record's day for retention was read, and whether the class still
// counts from it. A day of another field begins no period: it is as if there were none, until it
// was read anew (retention_days.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vault/catalog/catalog_store.h"
#include "vault/catalog/class_schema.h"
#include "vault/catalog/retention_schedule.h"

namespace coffer::vault {

// Whether both versions of a class read the day of a document from the same field, as the same
// type.
bool ReadTheSameDay(const ClassSchema& one, const ClassSchema& other);

// Whether due dates by the schedule move when `after` becomes the newest version of the class.
bool MovesDueDates(const RetentionSchedule& schedule, const ClassSchema& before,
                   const ClassSchema& after);

class RetentionDates {
 public:
  RetentionDates() = default;
  explicit RetentionDates(const Catalog& catalog);
  // Whether the day that this version of the class read is the one that its newest version reads.
  bool IsCurrent(std::string_view class_name, std::uint64_t version) const;
  // Whether it is not, and the newest version reads one.
  bool IsToBeRead(std::string_view class_name, std::uint64_t version) const;
  bool AnyToBeRead() const;

  // Versions are only ever added: as long as there are as many, all are the same.
  static std::size_t VersionsIn(const Catalog& catalog);

 private:
  struct Versions {
    std::vector<bool> current;
    bool reads = false;  // the newest one names a field
  };
  std::map<std::string, Versions, std::less<>> differing_;  // of classes that have read differently
};

}  // namespace coffer::vault
