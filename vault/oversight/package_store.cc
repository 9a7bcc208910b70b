#include "vault/oversight/package_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

#define COFFER_PACKAGE_COLUMNS                                                            \
  "pid, cid, request, representative, names_staff, prepared, prepared_by, seq, expires, " \
  "revoked, revoked_by, handed_out, handed_out_by, digest, log_size, completed, purpose"

constexpr std::string_view kInsertPackage =
    "INSERT INTO packages (" COFFER_PACKAGE_COLUMNS
    ", id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kUpdatePackage =
    "UPDATE packages SET revoked = ?, revoked_by = ?, handed_out = ?, handed_out_by = ?, digest = "
    "?, "
    "log_size = ?, completed = ? WHERE id = ?";
constexpr std::string_view kFindPackage =
    "SELECT " COFFER_PACKAGE_COLUMNS " FROM packages WHERE pid = ?";
constexpr std::string_view kListPackages =
    "SELECT " COFFER_PACKAGE_COLUMNS " FROM packages WHERE id < ? ORDER BY id DESC LIMIT ?";
constexpr std::string_view kListPackagesOf =
    "SELECT " COFFER_PACKAGE_COLUMNS
    " FROM packages WHERE cid = ? AND id < ? ORDER BY id DESC LIMIT ?";
constexpr std::string_view kCountPrepared =
    "SELECT count(*) FROM packages WHERE cid = ? AND expires > ? AND revoked IS NULL "
    "AND handed_out IS NULL";
constexpr std::string_view kPutPart =
    "INSERT INTO package_parts (package, part, made, seq, sha256, next_stage, next_record, "
    "next_number) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (package, part) DO UPDATE SET "
    "made = excluded.made, seq = excluded.seq, sha256 = excluded.sha256, "
    "next_stage = excluded.next_stage, next_record = excluded.next_record, "
    "next_number = excluded.next_number";
constexpr std::string_view kListParts =
    "SELECT part, made, seq, sha256, next_stage, next_record, next_number FROM package_parts "
    "WHERE package = ? ORDER BY part";
constexpr std::string_view kFindPart =
    "SELECT part, made, seq, sha256, next_stage, next_record, next_number FROM package_parts "
    "WHERE package = ? AND part = ?";
constexpr std::string_view kDropParts = "DELETE FROM package_parts WHERE package = ?";

#undef COFFER_PACKAGE_COLUMNS

template <class IdType>
IdType PackageIdFrom(ByteView bytes) {
  IdType id;
  std::ranges::copy(bytes, id.value.begin());
  return id;
}
template <class IdType>
std::optional<IdType> IdIfAny(const Cursor& rows, int column) {
  if (rows.IsNull(column)) return std::nullopt;
  return PackageIdFrom<IdType>(rows.Blob(column));
}
std::optional<Timestamp> TimeIfAny(const Cursor& rows, int column) {
  if (rows.IsNull(column)) return std::nullopt;
  return Timestamp{rows.Int(column)};
}
std::optional<std::int64_t> MsIfAny(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return time->ms;
}
template <class IdType>
std::optional<ByteView> BytesIfAny(const std::optional<IdType>& id) {
  if (!id) return std::nullopt;
  return id->bytes();
}
std::optional<ByteView> KeyIfAny(const PackageRow& row) {
  if (!row.key) return std::nullopt;
  return ByteView(*row.key);
}

PackageRow PackageFrom(const Cursor& rows) {
  PackageRow row;
  row.id = PackageIdFrom<PackageId>(rows.Blob(0));
  row.client = PackageIdFrom<ClientId>(rows.Blob(1));
  row.request = IdIfAny<RequestId>(rows, 2);
  row.representative = rows.Int(3) != 0;
  row.names_staff = rows.Int(4) != 0;
  row.prepared = Timestamp{rows.Int(5)};
  row.prepared_by = PackageIdFrom<PrincipalId>(rows.Blob(6));
  row.seq = static_cast<std::uint64_t>(rows.Int(7));
  row.expires = Timestamp{rows.Int(8)};
  row.revoked = TimeIfAny(rows, 9);
  row.revoked_by = IdIfAny<PrincipalId>(rows, 10);
  row.handed_out = TimeIfAny(rows, 11);
  row.handed_out_by = IdIfAny<PrincipalId>(rows, 12);
  if (!rows.IsNull(13)) std::ranges::copy(rows.Blob(13), row.key.emplace().begin());
  row.log_size = static_cast<std::uint64_t>(rows.Int(14));
  row.completed = TimeIfAny(rows, 15);
  row.purpose = rows.Text(16);
  return row;
}

PackagePart PartFrom(const Cursor& rows) {
  PackagePart part;
  part.number = static_cast<std::uint64_t>(rows.Int(0));
  part.made = Timestamp{rows.Int(1)};
  part.seq = static_cast<std::uint64_t>(rows.Int(2));
  std::ranges::copy(rows.Blob(3), part.sha256.begin());
  part.next.stage = static_cast<PackagePlace::Stage>(rows.Int(4));
  part.next.record = rows.Int(5);
  part.next.number = static_cast<std::uint64_t>(rows.Int(6));
  return part;
}

template <class Item>
Result<std::vector<Item>> AllOf(Cursor rows, Item (*make)(const Cursor&)) {
  std::vector<Item> items;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return items;
    items.push_back(make(rows));
  }
}

}  // namespace

Result<PackageStore> PackageStore::Open(Database& database) {
  PackageStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertPackage));
  COFFER_ASSIGN(store.update_, Statement::Prepare(database, kUpdatePackage));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindPackage));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListPackages));
  COFFER_ASSIGN(store.list_of_, Statement::Prepare(database, kListPackagesOf));
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCountPrepared));
  COFFER_ASSIGN(store.put_part_, Statement::Prepare(database, kPutPart));
  COFFER_ASSIGN(store.parts_, Statement::Prepare(database, kListParts));
  COFFER_ASSIGN(store.part_, Statement::Prepare(database, kFindPart));
  COFFER_ASSIGN(store.drop_parts_, Statement::Prepare(database, kDropParts));
  return store;
}

Status PackageStore::Insert(const PackageRow& row) {
  return insert_.Execute(row.id.bytes(), row.client.bytes(), BytesIfAny(row.request),
                         row.representative ? 1 : 0, row.names_staff ? 1 : 0, row.prepared.ms,
                         row.prepared_by.bytes(), row.seq, row.expires.ms, MsIfAny(row.revoked),
                         BytesIfAny(row.revoked_by), MsIfAny(row.handed_out),
                         BytesIfAny(row.handed_out_by), KeyIfAny(row), row.log_size,
                         MsIfAny(row.completed), std::string_view(row.purpose), row.id.Row());
}

Status PackageStore::Update(const PackageRow& row) {
  return update_.Execute(MsIfAny(row.revoked), BytesIfAny(row.revoked_by), MsIfAny(row.handed_out),
                         BytesIfAny(row.handed_out_by), KeyIfAny(row), row.log_size,
                         MsIfAny(row.completed), row.id.Row());
}

Result<std::optional<PackageRow>> PackageStore::Find(const PackageId& id) {
  COFFER_ASSIGN(auto found, AllOf(find_.Query(id.bytes()), PackageFrom));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<PackageRow>> PackageStore::List(std::int64_t before,
                                                   const std::optional<ClientId>& client,
                                                   std::size_t limit) {
  const auto most = static_cast<std::int64_t>(limit);
  if (client) return AllOf(list_of_.Query(client->bytes(), before, most), PackageFrom);
  return AllOf(list_.Query(before, most), PackageFrom);
}

Result<std::uint64_t> PackageStore::CountPrepared(const ClientId& client, Timestamp now) {
  auto rows = count_.Query(client.bytes(), now.ms);
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
}

Status PackageStore::PutPart(const PackageId& id, const PackagePart& part) {
  return put_part_.Execute(id.Row(), part.number, part.made.ms, part.seq, ByteView(part.sha256),
                           static_cast<std::int64_t>(part.next.stage), part.next.record,
                           part.next.number);
}

Result<std::vector<PackagePart>> PackageStore::ListParts(const PackageId& id) {
  return AllOf(parts_.Query(id.Row()), PartFrom);
}

Result<std::optional<PackagePart>> PackageStore::FindPart(const PackageId& id,
                                                          std::uint64_t number) {
  COFFER_ASSIGN(auto found, AllOf(part_.Query(id.Row(), number), PartFrom));
  if (found.empty()) return std::nullopt;
  return found.front();
}

Status PackageStore::DropParts(const PackageId& id) { return drop_parts_.Execute(id.Row()); }

}  // namespace coffer::vault
