#include "vault/oversight/scrub_store.h"

#include <algorithm>

#include "vault/storage/dialect.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kRecordsAfter =
    "SELECT id FROM records WHERE id > ? ORDER BY id LIMIT ?";
constexpr std::string_view kOrphanedRecords =
    "SELECT DISTINCT client FROM records WHERE client NOT IN (SELECT id FROM clients) LIMIT ?";

// `walk` has the owner, the columns of its place, and whether the owner is there. `live` is what
// has to be true of the index's state for the table to count.
struct OwnedTableSql {
  std::string_view name, walk, orphans, live;
  bool of_record;
};
constexpr std::string_view kIsEven = " AND (SELECT live FROM index_state) % 2 = 0";
constexpr std::string_view kIsOdd = " AND (SELECT live FROM index_state) % 2 = 1";
constexpr std::string_view kFieldIndex = "an entry of the index over fields";
constexpr std::string_view kReference = "an external reference";
constexpr OwnedTableSql kTables[] = {
    {"an old version",
     "SELECT record, version, x'', EXISTS (SELECT 1 FROM records WHERE id = record) FROM "
     "record_versions WHERE (record, version) > (?1, ?2)@ ORDER BY record, version LIMIT ?3",
     "SELECT DISTINCT record FROM record_versions WHERE record NOT IN (SELECT id FROM records)@ "
     "LIMIT ?",
     "", true},
    {kFieldIndex,
     "SELECT record, record, token, EXISTS (SELECT 1 FROM records WHERE id = record) FROM "
     "blind_index WHERE (token, record) > (?1, ?2)@ ORDER BY token, record LIMIT ?3",
     "SELECT DISTINCT record FROM blind_index WHERE record NOT IN (SELECT id FROM records)@ LIMIT "
     "?",
     kIsEven, true},
    {kFieldIndex,
     "SELECT record, record, token, EXISTS (SELECT 1 FROM records WHERE id = record) FROM "
     "blind_index_odd WHERE (token, record) > (?1, ?2)@ ORDER BY token, record LIMIT ?3",
     "SELECT DISTINCT record FROM blind_index_odd WHERE record NOT IN (SELECT id FROM records)@ "
     "LIMIT ?",
     kIsOdd, true},
    {kReference,
     "SELECT client, 0, ref, EXISTS (SELECT 1 FROM clients WHERE id = client) FROM client_refs "
     "WHERE ref > ?1 AND ?2 IS NOT NULL@ ORDER BY ref LIMIT ?3",
     "SELECT DISTINCT client FROM client_refs WHERE client NOT IN (SELECT id FROM clients)@ LIMIT "
     "?",
     kIsEven, false},
    {kReference,
     "SELECT client, 0, ref, EXISTS (SELECT 1 FROM clients WHERE id = client) FROM client_refs_odd "
     "WHERE ref > ?1 AND ?2 IS NOT NULL@ ORDER BY ref LIMIT ?3",
     "SELECT DISTINCT client FROM client_refs_odd WHERE client NOT IN (SELECT id FROM clients)@ "
     "LIMIT ?",
     kIsOdd, false},
    {"a tag",
     "SELECT client, client, CAST(tag AS BLOB), EXISTS (SELECT 1 FROM clients WHERE id = client) "
     "FROM client_tags WHERE (tag, client) > (CAST(?1 AS TEXT), ?2)@ ORDER BY tag, client LIMIT ?3",
     "SELECT DISTINCT client FROM client_tags WHERE client NOT IN (SELECT id FROM clients)@ LIMIT "
     "?",
     "", false},
    {kFieldIndex,
     "SELECT owner, id, x'', EXISTS (SELECT 1 FROM records WHERE records.id = owner) FROM "
     "index_arrivals WHERE id > ?2 AND coalesce(?1, x'') = x''@ ORDER BY id LIMIT ?3",
     "SELECT DISTINCT owner FROM index_arrivals WHERE owner NOT IN (SELECT id FROM records)@ LIMIT "
     "?",
     " AND place = (SELECT live FROM index_state) % 2", true},
    {kReference,
     "SELECT owner, id, x'', EXISTS (SELECT 1 FROM clients WHERE clients.id = owner) FROM "
     "index_arrivals WHERE id > ?2 AND coalesce(?1, x'') = x''@ ORDER BY id LIMIT ?3",
     "SELECT DISTINCT owner FROM index_arrivals WHERE owner NOT IN (SELECT id FROM clients)@ LIMIT "
     "?",
     " AND place = 2 + (SELECT live FROM index_state) % 2", false},
};
static_assert(std::size(kTables) == std::size(kOwnedTables));

bool IsOdd(OwnedTable table) {
  return table == OwnedTable::kIndexOdd || table == OwnedTable::kReferencesOdd;
}

bool HasArrivals(OwnedTable table) {
  return table == OwnedTable::kIndexArrivals || table == OwnedTable::kReferenceArrivals;
}

const OwnedTableSql& Of(OwnedTable table) { return kTables[static_cast<std::size_t>(table)]; }

Result<std::vector<std::int64_t>> CollectIds(Cursor rows) {
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
  COFFER_ASSIGN(store.generations_, HasTable(database, "index_state"));
  COFFER_ASSIGN(store.arrivals_, HasTable(database, "index_arrivals"));
  for (const OwnedTable table : kOwnedTables) {
    if (!store.Has(table)) continue;
    const auto i = static_cast<std::size_t>(table);
    const auto counting = [&](std::string_view sql) {
      std::string text(sql);
      return text.replace(text.find('@'), 1, store.generations_ ? Of(table).live : "");
    };
    COFFER_ASSIGN(store.walk_[i], Statement::Prepare(database, counting(Of(table).walk)));
    COFFER_ASSIGN(store.orphans_[i], Statement::Prepare(database, counting(Of(table).orphans)));
  }
  return store;
}

bool ScrubStore::Has(OwnedTable table) const {
  return (generations_ || !IsOdd(table)) && (arrivals_ || !HasArrivals(table));
}

Result<std::vector<std::int64_t>> ScrubStore::ListRecords(std::int64_t after, std::size_t limit) {
  return CollectIds(records_.Query(after, static_cast<std::int64_t>(limit)));
}

Result<bool> ScrubStore::Walk(OwnedTable table, std::size_t limit, Place& place) {
  place.orphans.clear();
  if (!Has(table)) return false;
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
  if (!Has(table)) return std::vector<std::int64_t>();
  return CollectIds(orphans_[static_cast<std::size_t>(table)].Query(limit));
}

Result<std::vector<std::int64_t>> ScrubStore::ListOwnersOfOrphanedRecords(int limit) {
  return CollectIds(orphaned_records_.Query(limit));
}

}  // namespace coffer::vault
