#include "vault/engine/erasure_store.h"

#include <algorithm>
#include <unordered_set>

namespace coffer::vault {
namespace {

#define COFFER_ERASURE_COLUMNS                                                               \
  "eid, cid, scope, basis, class, erased, seq, records, versions, generation, state, rids, " \
  "facts, id, ledger, ref_token "

constexpr std::string_view kInsertErasure =
    "INSERT INTO erasures (eid, cid, scope, basis, class, erased, seq, records, versions, "
    "generation, state, rids, facts, ref_token) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kExtendErasure =
    "UPDATE erasures SET basis = ?, erased = ?, seq = ?, records = ?, versions = ?, generation = "
    "?, state = 0, rids = ?, facts = ?, act = NULL WHERE eid = ?";
constexpr std::string_view kMarkDestroyed =
    "UPDATE erasures SET state = 1, ledger = ? WHERE eid = ? AND state = 0";
constexpr std::string_view kMarkComplete =
    "UPDATE erasures SET state = 2 WHERE eid = ? AND state = 1 RETURNING 1";
constexpr std::string_view kFindErasure =
    "SELECT " COFFER_ERASURE_COLUMNS "FROM erasures WHERE eid = ?";
constexpr std::string_view kFindByReference =
    "SELECT " COFFER_ERASURE_COLUMNS "FROM erasures WHERE ref_token = ? ORDER BY id DESC LIMIT 1";
constexpr std::string_view kErasuresOf =
    "SELECT " COFFER_ERASURE_COLUMNS "FROM erasures WHERE cid = ? ORDER BY id DESC";
constexpr std::string_view kUnfinished =
    "SELECT " COFFER_ERASURE_COLUMNS "FROM erasures WHERE state < 2 ORDER BY id";
constexpr std::string_view kListErasures =
    "SELECT " COFFER_ERASURE_COLUMNS "FROM erasures WHERE id < ? ORDER BY id DESC LIMIT ?";
constexpr std::string_view kErasuresForward =
    "SELECT " COFFER_ERASURE_COLUMNS "FROM erasures WHERE id > ? ORDER BY id LIMIT ?";
constexpr std::string_view kDestroyedKeys = "SELECT cid, scope, generation FROM erasures";
constexpr std::string_view kCountErasures = "SELECT count(*) FROM erasures";
constexpr std::string_view kFindAct = "SELECT act FROM erasures WHERE eid = ?";
constexpr std::string_view kPutAct = "UPDATE erasures SET act = ? WHERE eid = ? AND act IS NULL";
constexpr std::string_view kPurgeActs =
    "UPDATE erasures SET act = NULL, facts = NULL, ref_token = NULL "
    "WHERE erased < ? AND (facts IS NOT NULL OR ref_token IS NOT NULL)";

#undef COFFER_ERASURE_COLUMNS

constexpr std::size_t kIdBytes = std::tuple_size_v<Id128>;

ErasureRow RowOf(const Cursor& rows) {
  ErasureRow row;
  std::ranges::copy(rows.Blob(0), row.id.value.begin());
  std::ranges::copy(rows.Blob(1), row.client.value.begin());
  row.scope = static_cast<ErasureScope>(rows.Int(2));
  row.basis = static_cast<ErasureBasis>(rows.Int(3));
  row.class_name = rows.Text(4);
  row.erased.ms = rows.Int(5);
  row.seq = static_cast<std::uint64_t>(rows.Int(6));
  row.records = static_cast<std::uint64_t>(rows.Int(7));
  row.versions = static_cast<std::uint64_t>(rows.Int(8));
  row.generation = static_cast<std::uint64_t>(rows.Int(9));
  row.state = static_cast<ErasureState>(rows.Int(10));
  // Versions that added up the ledger's repeated lines stored ids twice.
  const auto ids = rows.Blob(11);
  std::unordered_set<RecordId, IdHash> seen;
  for (std::size_t at = 0; at + kIdBytes <= ids.size(); at += kIdBytes) {
    RecordId id;
    std::ranges::copy(ids.subspan(at, kIdBytes), id.value.begin());
    if (seen.insert(id).second) row.record_ids.push_back(id);
  }
  if (!rows.IsNull(12)) row.facts = rows.Text(12);
  row.ledger_seq = static_cast<std::uint64_t>(rows.Int(14));
  if (!rows.IsNull(15)) std::ranges::copy(rows.Blob(15), row.ref_token.emplace().begin());
  return row;
}

Bytes IdsOf(const ErasureRow& row) {
  Bytes ids;
  for (const RecordId& id : row.record_ids) {
    ids.insert(ids.end(), id.value.begin(), id.value.end());
  }
  return ids;
}

}  // namespace

Result<ErasureStore> ErasureStore::Open(Database& database) {
  ErasureStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertErasure));
  COFFER_ASSIGN(store.extend_, Statement::Prepare(database, kExtendErasure));
  COFFER_ASSIGN(store.mark_destroyed_, Statement::Prepare(database, kMarkDestroyed));
  COFFER_ASSIGN(store.mark_complete_, Statement::Prepare(database, kMarkComplete));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindErasure));
  COFFER_ASSIGN(store.find_reference_, Statement::Prepare(database, kFindByReference));
  COFFER_ASSIGN(store.list_of_, Statement::Prepare(database, kErasuresOf));
  COFFER_ASSIGN(store.unfinished_, Statement::Prepare(database, kUnfinished));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListErasures));
  COFFER_ASSIGN(store.forward_, Statement::Prepare(database, kErasuresForward));
  COFFER_ASSIGN(store.keys_, Statement::Prepare(database, kDestroyedKeys));
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCountErasures));
  COFFER_ASSIGN(store.find_act_, Statement::Prepare(database, kFindAct));
  COFFER_ASSIGN(store.put_act_, Statement::Prepare(database, kPutAct));
  COFFER_ASSIGN(store.purge_, Statement::Prepare(database, kPurgeActs));
  return store;
}

Status ErasureStore::Insert(const ErasureRow& row) {
  const Bytes ids = IdsOf(row);
  std::optional<std::string_view> facts;
  if (!row.facts.empty()) facts = row.facts;
  std::optional<ByteView> token;
  if (row.ref_token) token = *row.ref_token;
  return insert_.Execute(row.id.bytes(), row.client.bytes(), static_cast<int>(row.scope),
                         static_cast<int>(row.basis), std::string_view(row.class_name),
                         row.erased.ms, row.seq, row.records, row.versions, row.generation,
                         static_cast<int>(row.state), ByteView(ids), facts, token);
}

Status ErasureStore::Extend(const ErasureRow& row) {
  const Bytes ids = IdsOf(row);
  return extend_.Execute(static_cast<int>(row.basis), row.erased.ms, row.seq, row.records,
                         row.versions, row.generation, ByteView(ids), std::string_view(row.facts),
                         row.id.bytes());
}

Status ErasureStore::MarkKeyDestroyed(const ErasureRow& row) {
  return mark_destroyed_.Execute(row.ledger_seq, row.id.bytes());
}

Result<bool> ErasureStore::MarkComplete(const ErasureId& id) {
  auto rows = mark_complete_.Query(id.bytes());
  COFFER_ASSIGN(const bool completed, rows.Next());
  // What returns rows is done only when the last one was taken.
  if (completed) COFFER_TRY(rows.Next());
  return completed;
}

Result<std::optional<ErasureRow>> ErasureStore::Find(const ErasureId& id) {
  auto rows = find_.Query(id.bytes());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return RowOf(rows);
}

Result<std::optional<ErasureRow>> ErasureStore::FindByReference(const crypto::BlindToken& token) {
  auto rows = find_reference_.Query(ByteView(token));
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return RowOf(rows);
}

Result<std::vector<ErasureRow>> ErasureStore::Collect(Cursor rows) {
  std::vector<ErasureRow> found;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return found;
    found.push_back(RowOf(rows));
  }
}

Result<std::vector<ErasureRow>> ErasureStore::ListOf(const ClientId& client) {
  return Collect(list_of_.Query(client.bytes()));
}

Result<std::vector<ErasureRow>> ErasureStore::ListUnfinished() {
  return Collect(unfinished_.Query());
}

Result<std::vector<std::pair<std::int64_t, ErasureRow>>> ErasureStore::CollectNumbered(
    Cursor rows) {
  std::vector<std::pair<std::int64_t, ErasureRow>> found;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return found;
    found.emplace_back(rows.Int(13), RowOf(rows));
  }
}

Result<std::vector<std::pair<std::int64_t, ErasureRow>>> ErasureStore::List(std::int64_t before,
                                                                            std::size_t limit) {
  return CollectNumbered(list_.Query(before, static_cast<std::int64_t>(limit)));
}

Result<std::vector<std::pair<std::int64_t, ErasureRow>>> ErasureStore::ListForward(
    std::int64_t after, std::size_t limit) {
  return CollectNumbered(forward_.Query(after, static_cast<std::int64_t>(limit)));
}

Status ErasureStore::ForEachDestroyedKey(
    const std::function<Status(const ClientId&, ErasureScope, std::uint64_t)>& each) {
  auto rows = keys_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return {};
    ClientId client;
    std::ranges::copy(rows.Blob(0), client.value.begin());
    COFFER_TRY(each(client, static_cast<ErasureScope>(rows.Int(1)),
                    static_cast<std::uint64_t>(rows.Int(2))));
  }
}

Result<std::uint64_t> ErasureStore::Count() {
  auto row = count_.Query();
  COFFER_TRY(row.Next());
  return static_cast<std::uint64_t>(row.Int(0));
}

Result<std::optional<std::string>> ErasureStore::FindAct(const ErasureId& id) {
  auto rows = find_act_.Query(id.bytes());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found || rows.IsNull(0)) return std::nullopt;
  return std::string(rows.Text(0));
}

Status ErasureStore::PutAct(const ErasureId& id, std::string_view act) {
  return put_act_.Execute(act, id.bytes());
}

Status ErasureStore::PurgeActs(Timestamp oldest) { return purge_.Execute(oldest.ms); }

}  // namespace coffer::vault
