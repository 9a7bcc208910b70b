#include "vault/internal/scrub_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kRecordsAfter =
    "SELECT id FROM records WHERE id > ? ORDER BY id LIMIT ?";
constexpr std::string_view kOrphanedRecords =
    "SELECT DISTINCT client FROM records WHERE client NOT IN (SELECT id FROM clients) LIMIT ?";

// `walk` has the owner, the columns of its place, and whether the owner is there.
struct OwnedTableSql {
  std::string_view name, walk, orphans;
  bool of_record;
};
constexpr OwnedTableSql kTables[] = {
    {"an old version",
     "SELECT record, version, x'', EXISTS (SELECT 1 FROM records WHERE id = record) FROM "
     "record_versions WHERE (record, version) > (?1, ?2) ORDER BY record, version "
     "LIMIT ?3",
     "SELECT DISTINCT record FROM record_versions WHERE record NOT IN (SELECT id FROM records) "
     "LIMIT ?",
     true},
    {"an entry of the index over fields",
     "SELECT record, record, token, EXISTS (SELECT 1 FROM records WHERE id = record) FROM "
     "blind_index WHERE (token, record) > (?1, ?2) ORDER BY token, record LIMIT ?3",
     "SELECT DISTINCT record FROM blind_index WHERE record NOT IN (SELECT id FROM records) LIMIT ?",
     true},
    {"an external reference",
     "SELECT client, 0, ref, EXISTS (SELECT 1 FROM clients WHERE id = client) FROM client_refs "
     "WHERE ref > ?1 AND ?2 IS NOT NULL ORDER BY ref LIMIT ?3",
     "SELECT DISTINCT client FROM client_refs WHERE client NOT IN (SELECT id FROM clients) LIMIT ?",
     false},
    {"a tag",
     "SELECT client, client, CAST(tag AS BLOB), EXISTS (SELECT 1 FROM clients WHERE id = client) "
     "FROM client_tags WHERE (tag, client) > (CAST(?1 AS TEXT), ?2) ORDER BY tag, client LIMIT ?3",
     "SELECT DISTINCT client FROM client_tags WHERE client NOT IN (SELECT id FROM clients) LIMIT ?",
     false},
};

const OwnedTableSql& Of(OwnedTable table) { return kTables[static_cast<std::size_t>(table)]; }

Result<std::vector<std::int64_t>> Collect(Cursor rows) {
  std::vector<std::int64_t> ids;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return ids;
    ids.push_back(rows.Int(0));
  }
}

}  // namespace

std::string_view Describe(OwnedTable table) { return Of(table).name; }

bool BelongsToRecord(OwnedTable table) { return Of(table).of_record; }

Result<ScrubStore> ScrubStore::Open(const Database& database) {
  ScrubStore store;
  COFFER_ASSIGN(store.records_, Statement::Prepare(database, kRecordsAfter));
  COFFER_ASSIGN(store.orphaned_records_, Statement::Prepare(database, kOrphanedRecords));
  for (std::size_t i = 0; i < std::size(kTables); ++i) {
    COFFER_ASSIGN(store.walk_[i], Statement::Prepare(database, kTables[i].walk));
    COFFER_ASSIGN(store.orphans_[i], Statement::Prepare(database, kTables[i].orphans));
  }
  return store;
}

Result<std::vector<std::int64_t>> ScrubStore::ListRecords(std::int64_t after, std::size_t limit) {
  return Collect(records_.Query(after, static_cast<std::int64_t>(limit)));
}

Result<bool> ScrubStore::Walk(OwnedTable table, std::size_t limit, Place& place) {
  place.orphans.clear();
  const Bytes from = place.key;
  Statement& statement = walk_[static_cast<std::size_t>(table)];
  const auto wanted = static_cast<std::int64_t>(limit);
  auto rows = table == OwnedTable::kVersions
                  ? statement.Query(place.owner, place.number, wanted)
                  : statement.Query(ByteView(from), place.number, wanted);
  for (std::size_t count = 0;; ++count) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return count == limit;
    place.owner = rows.Int(0);
    place.number = rows.Int(1);
    const ByteView key = rows.Blob(2);
    place.key.assign(key.begin(), key.end());
    if (rows.Int(3) == 0 && (place.orphans.empty() || place.orphans.back() != place.owner)) {
      place.orphans.push_back(place.owner);
    }
  }
}

Result<std::vector<std::int64_t>> ScrubStore::ListOrphans(OwnedTable table, int limit) {
  return Collect(orphans_[static_cast<std::size_t>(table)].Query(limit));
}

Result<std::vector<std::int64_t>> ScrubStore::ListOwnersOfOrphanedRecords(int limit) {
  return Collect(orphaned_records_.Query(limit));
}

}  // namespace coffer::vault
