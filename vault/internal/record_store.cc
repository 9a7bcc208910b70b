#include "vault/internal/record_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kInsertRecord =
    "INSERT INTO records (id, rid, client, class, class_version, version, created, updated, "
    "fields, tokens, import_token, payload, retention_day) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kUpdateRecord =
    "UPDATE records SET class_version = ?, version = ?, updated = ?, fields = ?, tokens = ?, "
    "payload = ?, retention_day = ?, retention_rule = NULL WHERE id = ?";
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
constexpr std::string_view kResealRecord = "UPDATE records SET payload = ? WHERE id = ?";
constexpr std::string_view kResealVersion =
    "UPDATE record_versions SET payload = ? WHERE record = ? AND version = ?";
constexpr std::string_view kDeleteRecord = "DELETE FROM records WHERE id = ?";
constexpr std::string_view kListOf =
    "SELECT id FROM records WHERE client = ? AND id > ? ORDER BY id LIMIT ?";
constexpr std::string_view kListOfClass =
    "SELECT id FROM records WHERE client = ? AND class = ? AND id > ? ORDER BY id LIMIT ?";
constexpr std::string_view kHasClass =
    "SELECT 1 FROM records WHERE client = ? AND class = ? LIMIT 1";
constexpr std::string_view kInsertToken = "INSERT INTO blind_index (token, record) VALUES (?, ?)";
constexpr std::string_view kDeleteToken = "DELETE FROM blind_index WHERE token = ? AND record = ?";
constexpr std::string_view kFindToken =
    "SELECT record FROM blind_index WHERE token = ? AND record > ? ORDER BY record LIMIT ?";
constexpr std::string_view kCountRecord = "SELECT count(*) FROM records";

constexpr std::size_t kTokenBytes = std::tuple_size_v<BlindToken>;

Bytes Copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

Result<std::vector<std::int64_t>> Collect(Cursor rows) {
  std::vector<std::int64_t> ids;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return ids;
    ids.push_back(rows.Int(0));
  }
}

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
  COFFER_ASSIGN(store.list_of_, Statement::Prepare(database, kListOf));
  COFFER_ASSIGN(store.list_of_class_, Statement::Prepare(database, kListOfClass));
  COFFER_ASSIGN(store.has_class_, Statement::Prepare(database, kHasClass));
  COFFER_ASSIGN(store.insert_token_, Statement::Prepare(database, kInsertToken));
  COFFER_ASSIGN(store.delete_token_, Statement::Prepare(database, kDeleteToken));
  COFFER_ASSIGN(store.find_token_, Statement::Prepare(database, kFindToken));
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCountRecord));
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

Status RecordStore::WriteTokens(const RecordRow& row, Statement& statement) {
  for (std::size_t at = 0; at + kTokenBytes <= row.tokens.size(); at += kTokenBytes) {
    COFFER_TRY(statement.Execute(ByteView(row.tokens).subspan(at, kTokenBytes), row.id.Row()));
  }
  return {};
}

Status RecordStore::Insert(const RecordRow& row) {
  const std::optional<ByteView> import_token = row.import_token;
  COFFER_TRY(insert_.Execute(row.id.Row(), row.id.bytes(), row.client,
                             std::string_view(row.class_name), row.class_version, row.version,
                             row.created.ms, row.updated.ms, row.fields, ByteView(row.tokens),
                             import_token, ByteView(row.payload), row.retention_day));
  if (import_token) COFFER_TRY(insert_token_.Execute(*import_token, row.id.Row()));
  return WriteTokens(row, insert_token_);
}

Status RecordStore::Update(const RecordRow& row, const RecordRow& before) {
  COFFER_TRY(insert_version_.Execute(row.id.Row(), before.version, before.class_version,
                                     before.updated.ms, before.fields, ByteView(before.payload)));
  if (row.tokens != before.tokens) {
    COFFER_TRY(WriteTokens(before, delete_token_));
    COFFER_TRY(WriteTokens(row, insert_token_));
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

Result<std::uint64_t> RecordStore::Delete(const RecordRow& row) {
  if (row.import_token) {
    COFFER_TRY(delete_token_.Execute(ByteView(*row.import_token), row.id.Row()));
  }
  COFFER_TRY(WriteTokens(row, delete_token_));
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

Status RecordStore::Reseal(std::int64_t record, ByteView payload) {
  return reseal_.Execute(payload, record);
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

Result<bool> RecordStore::ClientHasClass(std::int64_t client, std::string_view class_name) {
  auto rows = has_class_.Query(client, class_name);
  return rows.Next();
}

Result<std::vector<std::int64_t>> RecordStore::FindByToken(const BlindToken& token,
                                                           std::int64_t after, std::size_t limit) {
  return Collect(find_token_.Query(ByteView(token), after, static_cast<std::int64_t>(limit)));
}

Result<std::uint64_t> RecordStore::Count() {
  auto row = count_.Query();
  COFFER_TRY(row.Next());
  return static_cast<std::uint64_t>(row.Int(0));
}

}  // namespace coffer::vault
