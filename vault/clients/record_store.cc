#include "vault/clients/record_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kInsertRecord =
    "INSERT INTO records (id, rid, client, class, class_version, version, created, updated, "
    "fields, tokens, import_token, payload, retention_day) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kUpdateRecord =
    "UPDATE records SET class_version = ?, version = ?, updated = ?, fields = ?, tokens = ?, "
    "import_token = NULL, payload = ?, retention_day = ?, retention_rule = NULL WHERE id = ?";
constexpr std::string_view kFindRecord =
    "SELECT rid, client, class, class_version, version, created, updated, fields, tokens, "
    "import_token, payload FROM records WHERE id = ?";
constexpr std::string_view kInsertVersion =
    "INSERT INTO record_versions (record, version, class_version, written, fields, payload) "
    "VALUES (?, ?, ?, ?, ?, ?)";
constexpr std::string_view kFindVersion =
    "SELECT class_version, written, fields, payload FROM record_versions "
    "WHERE record = ? AND version = ?";
constexpr std::string_view kListVersions =
    "SELECT version, class_version, written, fields FROM record_versions WHERE record = ? "
    "ORDER BY version";
constexpr std::string_view kDeleteVersions =
    "DELETE FROM record_versions WHERE record = ? RETURNING 1";
constexpr std::string_view kResealRecord =
    "UPDATE records SET payload = ?, tokens = ?, import_token = NULL WHERE id = ?";
constexpr std::string_view kResealVersion =
    "UPDATE record_versions SET payload = ? WHERE record = ? AND version = ?";
constexpr std::string_view kDeleteRecord = "DELETE FROM records WHERE id = ?";
constexpr std::string_view kListOf =
    "SELECT id FROM records WHERE client = ? AND id > ? ORDER BY id LIMIT ?";
constexpr std::string_view kListOfClass =
    "SELECT id FROM records WHERE client = ? AND class = ? AND id > ? ORDER BY id LIMIT ?";
constexpr std::string_view kListByClass =
    "SELECT class, id FROM records WHERE client = ? AND (class, id) > (?, ?) "
    "ORDER BY class, id LIMIT ?";
constexpr std::string_view kCountByClass =
    "SELECT class, count(*) FROM records WHERE client = ? GROUP BY class";
constexpr std::string_view kCountSealed =
    "SELECT count(*) FROM (SELECT 1 FROM records WHERE client = ?1 UNION ALL "
    "SELECT 1 FROM record_versions WHERE record IN (SELECT id FROM records WHERE client = ?1) "
    "LIMIT ?2)";
constexpr std::string_view kHasClass =
    "SELECT 1 FROM records WHERE client = ? AND class = ? LIMIT 1";
constexpr std::string_view kListIndexed =
    "SELECT id, rid, client, class, class_version, version, tokens, import_token FROM records "
    "WHERE id > ? ORDER BY id LIMIT ?";
constexpr std::string_view kListAllOf =
    "SELECT id FROM records WHERE id > ? AND class = ? ORDER BY id LIMIT ?";
constexpr std::string_view kHasMore = "SELECT 1 FROM records WHERE id > ? LIMIT 1 OFFSET ?";
constexpr std::string_view kReadPayload = "SELECT payload FROM records WHERE id = ?";
constexpr std::string_view kPutTerms =
    "UPDATE records SET tokens = ?, import_token = NULL WHERE id = ?";
constexpr std::string_view kRetentionDay = "SELECT retention_day FROM records WHERE id = ?";
constexpr std::string_view kCountRecord = "SELECT count(*) FROM records";

Bytes Copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

Result<std::vector<std::int64_t>> Collect(Cursor rows) {
  std::vector<std::int64_t> ids;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return ids;
    ids.push_back(rows.Int(0));
  }
}
constexpr std::string_view kPutDay =
    "UPDATE records SET retention_day = ?, retention_rule = ? WHERE id = ? AND version = ? "
    "RETURNING 1";

}  // namespace

Result<RecordStore> RecordStore::Open(Database& database) {
  RecordStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertRecord));
  COFFER_ASSIGN(store.update_, Statement::Prepare(database, kUpdateRecord));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindRecord));
  COFFER_ASSIGN(store.insert_version_, Statement::Prepare(database, kInsertVersion));
  COFFER_ASSIGN(store.find_version_, Statement::Prepare(database, kFindVersion));
  COFFER_ASSIGN(store.list_versions_, Statement::Prepare(database, kListVersions));
  COFFER_ASSIGN(store.delete_versions_, Statement::Prepare(database, kDeleteVersions));
  COFFER_ASSIGN(store.delete_, Statement::Prepare(database, kDeleteRecord));
  COFFER_ASSIGN(store.reseal_, Statement::Prepare(database, kResealRecord));
  COFFER_ASSIGN(store.reseal_version_, Statement::Prepare(database, kResealVersion));
  COFFER_ASSIGN(store.put_day_, Statement::Prepare(database, kPutDay));
  COFFER_ASSIGN(store.list_of_, Statement::Prepare(database, kListOf));
  COFFER_ASSIGN(store.list_of_class_, Statement::Prepare(database, kListOfClass));
  COFFER_ASSIGN(store.list_by_class_, Statement::Prepare(database, kListByClass));
  COFFER_ASSIGN(store.count_by_class_, Statement::Prepare(database, kCountByClass));
  COFFER_ASSIGN(store.count_sealed_, Statement::Prepare(database, kCountSealed));
  COFFER_ASSIGN(store.has_class_, Statement::Prepare(database, kHasClass));
  COFFER_ASSIGN(store.list_indexed_, Statement::Prepare(database, kListIndexed));
  COFFER_ASSIGN(store.read_payload_, Statement::Prepare(database, kReadPayload));
  COFFER_ASSIGN(store.put_terms_, Statement::Prepare(database, kPutTerms));
  COFFER_ASSIGN(store.retention_day_, Statement::Prepare(database, kRetentionDay));
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCountRecord));
  COFFER_ASSIGN(store.list_all_of_, Statement::Prepare(database, kListAllOf));
  COFFER_ASSIGN(store.has_more_, Statement::Prepare(database, kHasMore));
  return store;
}

Result<RecordStore> RecordStore::OpenForReading(const Database& database) {
  RecordStore store;
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindRecord));
  COFFER_ASSIGN(store.find_version_, Statement::Prepare(database, kFindVersion));
  COFFER_ASSIGN(store.list_versions_, Statement::Prepare(database, kListVersions));
  COFFER_ASSIGN(store.list_of_, Statement::Prepare(database, kListOf));
  COFFER_ASSIGN(store.list_of_class_, Statement::Prepare(database, kListOfClass));
  return store;
}

Status RecordStore::Insert(const RecordRow& row, SearchIndex& index) {
  const std::optional<ByteView> import_token;
  COFFER_TRY(insert_.Execute(row.id.Row(), row.id.bytes(), row.client,
                             std::string_view(row.class_name), row.class_version, row.version,
                             row.created.ms, row.updated.ms, row.fields, ByteView(row.tokens),
                             import_token, ByteView(row.payload), row.retention_day));
  return index.Put(row.id.Row(), row.terms);
}

Status RecordStore::Update(const RecordRow& row, const RecordRow& before, SearchIndex& index) {
  COFFER_TRY(insert_version_.Execute(row.id.Row(), before.version, before.class_version,
                                     before.updated.ms, before.fields, ByteView(before.payload)));
  if (row.terms.tokens != before.terms.tokens ||
      row.terms.import_token != before.terms.import_token) {
    COFFER_TRY(index.Remove(row.id.Row(), before.terms));
    COFFER_TRY(index.Put(row.id.Row(), row.terms));
  }
  return update_.Execute(row.class_version, row.version, row.updated.ms, row.fields,
                         ByteView(row.tokens), ByteView(row.payload), row.retention_day,
                         row.id.Row());
}

Result<std::optional<RecordRow>> RecordStore::FindRow(std::int64_t id) {
  auto rows = find_.Query(id);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  RecordRow row;
  std::ranges::copy(rows.Blob(0), row.id.value.begin());
  row.client = rows.Int(1);
  row.class_name = rows.Text(2);
  row.class_version = static_cast<std::uint64_t>(rows.Int(3));
  row.version = static_cast<std::uint64_t>(rows.Int(4));
  row.created.ms = rows.Int(5);
  row.updated.ms = rows.Int(6);
  row.fields = rows.Int(7);
  row.tokens = Copy(rows.Blob(8));
  if (!rows.IsNull(9)) {
    row.import_token.emplace();
    std::ranges::copy(rows.Blob(9), row.import_token->begin());
  }
  row.payload = Copy(rows.Blob(10));
  return row;
}

Result<std::optional<RecordRow>> RecordStore::Find(const RecordId& id) {
  COFFER_ASSIGN(auto row, FindRow(id.Row()));
  if (row && row->id != id) return std::nullopt;
  return row;
}

Result<std::optional<RecordVersionRow>> RecordStore::FindVersion(std::int64_t record,
                                                                 std::uint64_t version) {
  auto rows = find_version_.Query(record, version);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return RecordVersionRow{version, static_cast<std::uint64_t>(rows.Int(0)), Timestamp{rows.Int(1)},
                          rows.Int(2), Copy(rows.Blob(3))};
}

Result<std::vector<RecordVersionRow>> RecordStore::ListVersions(std::int64_t record) {
  std::vector<RecordVersionRow> versions;
  auto rows = list_versions_.Query(record);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return versions;
    versions.push_back({static_cast<std::uint64_t>(rows.Int(0)),
                        static_cast<std::uint64_t>(rows.Int(1)),
                        Timestamp{rows.Int(2)},
                        rows.Int(3),
                        {}});
  }
}

Result<std::uint64_t> RecordStore::Delete(const RecordRow& row, SearchIndex& index) {
  COFFER_TRY(index.Remove(row.id.Row(), row.terms));
  std::uint64_t versions = 0;
  {
    auto deleted = delete_versions_.Query(row.id.Row());
    for (;; ++versions) {
      COFFER_ASSIGN(const bool more, deleted.Next());
      if (!more) break;
    }
  }
  COFFER_TRY(delete_.Execute(row.id.Row()));
  return versions;
}

Status RecordStore::Reseal(std::int64_t record, ByteView payload, ByteView tokens) {
  return reseal_.Execute(payload, tokens, record);
}

Status RecordStore::ResealVersion(std::int64_t record, std::uint64_t version, ByteView payload) {
  return reseal_version_.Execute(payload, record, version);
}

Result<std::vector<std::int64_t>> RecordStore::ListOf(std::int64_t client,
                                                      std::string_view class_name,
                                                      std::int64_t after, std::size_t limit) {
  const auto wanted = static_cast<std::int64_t>(limit);
  return Collect(class_name.empty() ? list_of_.Query(client, after, wanted)
                                    : list_of_class_.Query(client, class_name, after, wanted));
}

Result<std::vector<std::pair<std::string, std::int64_t>>> RecordStore::ListByClass(
    std::int64_t client, std::string_view class_name, std::int64_t after, std::size_t limit) {
  std::vector<std::pair<std::string, std::int64_t>> found;
  auto rows = list_by_class_.Query(client, class_name, after, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return found;
    found.emplace_back(rows.Text(0), rows.Int(1));
  }
}

Result<std::map<std::string, std::uint64_t, std::less<>>> RecordStore::CountByClass(
    std::int64_t client) {
  std::map<std::string, std::uint64_t, std::less<>> counts;
  auto rows = count_by_class_.Query(client);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return counts;
    counts.emplace(rows.Text(0), static_cast<std::uint64_t>(rows.Int(1)));
  }
}

Result<std::size_t> RecordStore::CountSealed(std::int64_t client, std::size_t most) {
  auto row = count_sealed_.Query(client, static_cast<std::int64_t>(most));
  COFFER_TRY(row.Next());
  return static_cast<std::size_t>(row.Int(0));
}

Result<bool> RecordStore::ClientHasClass(std::int64_t client, std::string_view class_name) {
  auto rows = has_class_.Query(client, class_name);
  return rows.Next();
}

Result<std::vector<std::int64_t>> RecordStore::ListAllOf(std::string_view class_name,
                                                         std::int64_t after, std::size_t limit) {
  return Collect(list_all_of_.Query(after, class_name, static_cast<std::int64_t>(limit)));
}

Result<bool> RecordStore::HasMoreThan(std::size_t count, std::int64_t after) {
  auto rows = has_more_.Query(after, static_cast<std::int64_t>(count));
  return rows.Next();
}

Result<std::vector<RecordRow>> RecordStore::ListIndexed(std::int64_t after, std::size_t limit) {
  std::vector<RecordRow> found;
  auto rows = list_indexed_.Query(after, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return found;
    RecordRow& row = found.emplace_back();
    std::ranges::copy(rows.Blob(1), row.id.value.begin());
    row.client = rows.Int(2);
    row.class_name = rows.Text(3);
    row.class_version = static_cast<std::uint64_t>(rows.Int(4));
    row.version = static_cast<std::uint64_t>(rows.Int(5));
    row.tokens = Copy(rows.Blob(6));
    if (!rows.IsNull(7)) {
      row.import_token.emplace();
      std::ranges::copy(rows.Blob(7), row.import_token->begin());
    }
  }
}

Result<Bytes> RecordStore::ReadPayload(std::int64_t record) {
  auto rows = read_payload_.Query(record);
  COFFER_ASSIGN(const bool found, rows.Next());
  return found ? Copy(rows.Blob(0)) : Bytes();
}

Status RecordStore::PutTerms(std::int64_t record, ByteView tokens) {
  return put_terms_.Execute(tokens, record);
}

Result<std::optional<std::int64_t>> RecordStore::FindRetentionDay(std::int64_t record) {
  auto rows = retention_day_.Query(record);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found || rows.IsNull(0)) return std::nullopt;
  return rows.Int(0);
}

Result<std::uint64_t> RecordStore::Count() {
  auto row = count_.Query();
  COFFER_TRY(row.Next());
  return static_cast<std::uint64_t>(row.Int(0));
}

Result<bool> RecordStore::PutDay(std::int64_t record, std::uint64_t version, std::optional<Day> day,
                                 std::uint64_t date_version) {
  std::optional<std::int64_t> stored;
  if (day) stored = *day;
  auto rows = put_day_.Query(stored, date_version, record, version);
  COFFER_ASSIGN(const bool changed, rows.Next());
  if (changed) COFFER_TRY(rows.Next());
  return changed;
}

}  // namespace coffer::vault
