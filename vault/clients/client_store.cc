#include "vault/clients/client_store.h"

#include <algorithm>

#include "vault/storage/dialect.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kInsert =
    "INSERT INTO clients (id, cid, state, version, created, updated, tags, profile, ref, "
    "relationship_end) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kUpdate =
    "UPDATE clients SET version = ?, updated = ?, tags = ?, profile = ?, ref = ?, "
    "relationship_end = ? WHERE id = ?";
constexpr std::string_view kFind =
    "SELECT cid, state, version, created, updated, tags, profile, ref, generation, "
    "relationship_end "
    "FROM clients WHERE id = ?";
constexpr std::string_view kFindBeforeGenerations =
    "SELECT cid, state, version, created, updated, tags, profile, ref, 0, NULL FROM clients "
    "WHERE id = ?";
constexpr std::string_view kInsertTag = "INSERT INTO client_tags (tag, client) VALUES (?, ?)";
constexpr std::string_view kDeleteTag = "DELETE FROM client_tags WHERE tag = ? AND client = ?";
constexpr std::string_view kList = "SELECT id FROM clients WHERE id > ? ORDER BY id LIMIT ?";
constexpr std::string_view kListByTag =
    "SELECT client FROM client_tags WHERE tag = ? AND client > ? ORDER BY client LIMIT ?";
constexpr std::string_view kDelete = "DELETE FROM clients WHERE id = ?";
constexpr std::string_view kCount = "SELECT count(*) FROM clients";
constexpr std::string_view kGeneration = "SELECT cid, generation FROM clients WHERE id = ?";
constexpr std::string_view kReseal =
    "UPDATE clients SET generation = ?, sealed_since = ?, profile = ?, ref = ? WHERE id = ?";
constexpr std::string_view kListIndexedClients =
    "SELECT cid, ref, generation FROM clients WHERE id > ? ORDER BY id LIMIT ?";
constexpr std::string_view kPutClientRef = "UPDATE clients SET ref = ? WHERE id = ?";
constexpr std::string_view kCreatedOf = "SELECT created FROM clients WHERE id = ?";
constexpr std::string_view kSealedSince = "SELECT cid, sealed_since FROM clients WHERE id = ?";

Result<std::uint64_t> CountOf(Statement& statement) {
  auto row = statement.Query();
  COFFER_TRY(row.Next());
  return static_cast<std::uint64_t>(row.Int(0));
}

std::optional<std::int64_t> MsOrNone(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return time->ms;
}

std::optional<ByteView> RefOrNone(const Bytes& ref) {
  if (ref.empty()) return std::nullopt;
  return ByteView(ref);
}

template <std::size_t N>
std::array<std::uint8_t, N> ArrayOf(ByteView bytes) {
  std::array<std::uint8_t, N> out{};
  std::copy_n(bytes.begin(), std::min(N, bytes.size()), out.begin());
  return out;
}

}  // namespace

Result<ClientStore> ClientStore::Open(Database& database) {
  ClientStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsert));
  COFFER_ASSIGN(store.update_, Statement::Prepare(database, kUpdate));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFind));
  COFFER_ASSIGN(store.insert_tag_, Statement::Prepare(database, kInsertTag));
  COFFER_ASSIGN(store.delete_tag_, Statement::Prepare(database, kDeleteTag));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kList));
  COFFER_ASSIGN(store.list_by_tag_, Statement::Prepare(database, kListByTag));
  COFFER_ASSIGN(store.delete_, Statement::Prepare(database, kDelete));
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCount));
  COFFER_ASSIGN(store.generation_, Statement::Prepare(database, kGeneration));
  COFFER_ASSIGN(store.reseal_, Statement::Prepare(database, kReseal));
  COFFER_ASSIGN(store.sealed_since_, Statement::Prepare(database, kSealedSince));
  COFFER_ASSIGN(store.list_indexed_, Statement::Prepare(database, kListIndexedClients));
  COFFER_ASSIGN(store.put_ref_, Statement::Prepare(database, kPutClientRef));
  COFFER_ASSIGN(store.created_, Statement::Prepare(database, kCreatedOf));
  return store;
}

Result<ClientStore> ClientStore::OpenForReading(const Database& database) {
  ClientStore store;
  COFFER_ASSIGN(const bool generations, HasColumn(database, "clients", "generation"));
  COFFER_ASSIGN(store.find_,
                Statement::Prepare(database, generations ? kFind : kFindBeforeGenerations));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kList));
  return store;
}

Status ClientStore::WriteTags(const ClientRow& row, std::string_view tags, Statement& statement) {
  while (!tags.empty()) {
    const auto space = tags.find(' ');
    COFFER_TRY(statement.Execute(tags.substr(0, space), row.id.Row()));
    if (space == tags.npos) break;
    tags.remove_prefix(space + 1);
  }
  return {};
}

Status ClientStore::Insert(const ClientRow& row, SearchIndex& index) {
  if (row.reference) COFFER_TRY(index.PutReference(row.id.Row(), *row.reference));
  COFFER_TRY(insert_.Execute(row.id.Row(), row.id.bytes(), static_cast<int>(row.state), row.version,
                             row.created.ms, row.updated.ms, std::string_view(row.tags),
                             ByteView(row.profile), RefOrNone(row.ref),
                             MsOrNone(row.relationship_end)));
  return WriteTags(row, row.tags, insert_tag_);
}

Status ClientStore::Update(const ClientRow& row, const ClientRow& before, SearchIndex& index) {
  if (row.reference != before.reference) {
    if (before.reference) COFFER_TRY(index.RemoveReference(row.id.Row(), *before.reference));
    if (row.reference) COFFER_TRY(index.PutReference(row.id.Row(), *row.reference));
  }
  if (row.tags != before.tags) {
    COFFER_TRY(WriteTags(row, before.tags, delete_tag_));
    COFFER_TRY(WriteTags(row, row.tags, insert_tag_));
  }
  return update_.Execute(row.version, row.updated.ms, std::string_view(row.tags),
                         ByteView(row.profile), RefOrNone(row.ref), MsOrNone(row.relationship_end),
                         row.id.Row());
}

Result<std::optional<ClientRow>> ClientStore::FindRow(std::int64_t id) {
  auto rows = find_.Query(id);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  ClientRow row;
  row.id.value = ArrayOf<16>(rows.Blob(0));
  row.state = static_cast<ClientState>(rows.Int(1));
  row.version = static_cast<std::uint64_t>(rows.Int(2));
  row.created.ms = rows.Int(3);
  row.updated.ms = rows.Int(4);
  row.tags = rows.Text(5);
  const auto profile = rows.Blob(6);
  row.profile.assign(profile.begin(), profile.end());
  const auto ref = rows.Blob(7);
  row.ref.assign(ref.begin(), ref.end());
  row.generation = static_cast<std::uint64_t>(rows.Int(8));
  if (!rows.IsNull(9)) row.relationship_end = Timestamp{rows.Int(9)};
  return row;
}

Result<std::optional<ClientRow>> ClientStore::Find(const ClientId& id) {
  COFFER_ASSIGN(auto row, FindRow(id.Row()));
  if (row && row->id != id) return std::nullopt;
  return row;
}

Result<std::optional<Timestamp>> ClientStore::FindCreated(std::int64_t row) {
  auto rows = created_.Query(row);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return Timestamp{rows.Int(0)};
}

Result<std::vector<std::int64_t>> ClientStore::List(std::int64_t after, std::string_view tag,
                                                    std::size_t limit) {
  std::vector<std::int64_t> ids;
  const auto wanted = static_cast<std::int64_t>(limit);
  auto rows = tag.empty() ? list_.Query(after, wanted) : list_by_tag_.Query(tag, after, wanted);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return ids;
    ids.push_back(rows.Int(0));
  }
}

Status ClientStore::Delete(const ClientRow& row, SearchIndex& index) {
  if (row.reference) COFFER_TRY(index.RemoveReference(row.id.Row(), *row.reference));
  COFFER_TRY(WriteTags(row, row.tags, delete_tag_));
  return delete_.Execute(row.id.Row());
}

Result<std::uint64_t> ClientStore::Count() { return CountOf(count_); }

Result<std::optional<std::uint64_t>> ClientStore::FindGeneration(const ClientId& id) {
  auto rows = generation_.Query(id.Row());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found || !std::ranges::equal(rows.Blob(0), id.bytes())) return std::nullopt;
  return static_cast<std::uint64_t>(rows.Int(1));
}

Status ClientStore::Reseal(const ClientRow& row, std::uint64_t since) {
  return reseal_.Execute(row.generation, since, ByteView(row.profile), RefOrNone(row.ref),
                         row.id.Row());
}

Result<std::vector<ClientRow>> ClientStore::ListIndexed(std::int64_t after, std::size_t limit) {
  std::vector<ClientRow> found;
  auto rows = list_indexed_.Query(after, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return found;
    ClientRow& row = found.emplace_back();
    row.id.value = ArrayOf<16>(rows.Blob(0));
    const auto ref = rows.Blob(1);
    row.ref.assign(ref.begin(), ref.end());
    row.generation = static_cast<std::uint64_t>(rows.Int(2));
  }
}

Status ClientStore::PutRef(std::int64_t client, ByteView ref) {
  return put_ref_.Execute(ref, client);
}

Result<std::uint64_t> ClientStore::SealedSince(const ClientId& id) {
  auto rows = sealed_since_.Query(id.Row());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found || !std::ranges::equal(rows.Blob(0), id.bytes())) return std::uint64_t{0};
  return static_cast<std::uint64_t>(rows.Int(1));
}

}  // namespace coffer::vault
