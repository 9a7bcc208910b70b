// Rows in the order in which the scrub goes through them, and rows whose owner is not there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vault/internal/sqlite.h"

namespace coffer::vault {

// Tables whose rows belong to a client or a record, but for records themselves.
enum class OwnedTable { kVersions, kIndex, kReferences, kTags };
inline constexpr OwnedTable kOwnedTables[] = {OwnedTable::kVersions, OwnedTable::kIndex,
                                              OwnedTable::kReferences, OwnedTable::kTags};
std::string_view Describe(OwnedTable table);  // "an old version", …
bool BelongsToRecord(OwnedTable table);

class ScrubStore {
 public:
  // For looking only.
  static Result<ScrubStore> Open(const Database& database);

  // Row ids of records after `after`.
  Result<std::vector<std::int64_t>> ListRecords(std::int64_t after, std::size_t limit);
  // Where a walk through a table stands.
  struct Place {
    std::int64_t owner = -1, number = -1;
    Bytes key;
    std::vector<std::int64_t> orphans;  // owners (row ids) of this step's rows that are not there
  };
  // The next `limit` rows of the table; false when there were no more.
  Result<bool> Walk(OwnedTable table, std::size_t limit, Place& place);
  // At most `limit` of all: owners that are not there; and of records, in the place of a table.
  Result<std::vector<std::int64_t>> ListOrphans(OwnedTable table, int limit);
  Result<std::vector<std::int64_t>> ListOwnersOfOrphanedRecords(int limit);

 private:
  Statement records_, walk_[4], orphans_[4], orphaned_records_;
};

}  // namespace coffer::vault
