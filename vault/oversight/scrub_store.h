// Rows in the order in which the scrub goes through them, and rows whose owner is not there.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "vault/storage/sqlite.h"

namespace coffer::vault {

// Tables whose rows belong to a client or a record, but for records themselves.
enum class OwnedTable {
  kVersions,
  kIndex,
  kIndexOdd,
  kReferences,
  kReferencesOdd,
  kTags,
  kIndexArrivals,
  kReferenceArrivals
};
inline constexpr OwnedTable kOwnedTables[] = {
    OwnedTable::kVersions,      OwnedTable::kIndex,
    OwnedTable::kIndexOdd,      OwnedTable::kReferences,
    OwnedTable::kReferencesOdd, OwnedTable::kTags,
    OwnedTable::kIndexArrivals, OwnedTable::kReferenceArrivals};
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
  // The next `limit` rows of the table; false when there were no more. Of the index's tables, those
  // of the generation that searches use: the others' rows go when it is their turn
  // (search_index.h).
  Result<bool> Walk(OwnedTable table, std::size_t limit, Place& place);
  // At most `limit` of all: owners that are not there; and of records, in the place of a table.
  Result<std::vector<std::int64_t>> ListOrphans(OwnedTable table, int limit);
  Result<std::vector<std::int64_t>> ListOwnersOfOrphanedRecords(int limit);

 private:
  static constexpr std::size_t kTables = std::size(kOwnedTables);
  bool Has(OwnedTable table) const;
  // False: of a database that no version with them has opened yet.
  bool generations_ = true, arrivals_ = true;
  Statement records_, walk_[kTables], orphans_[kTables], orphaned_records_;
};

}  // namespace coffer::vault
