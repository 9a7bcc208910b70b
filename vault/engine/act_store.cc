#include "vault/engine/act_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kInsertAct =
    "INSERT INTO protective_acts (aid, kind, object, cid, seq, acted, sealed) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kActsForward =
    "SELECT id, aid, kind, object, cid, seq, acted, sealed FROM protective_acts WHERE id > ? "
    "ORDER BY id LIMIT ?";
constexpr std::string_view kHasAct =
    "SELECT 1 FROM protective_acts WHERE object = ?1 AND kind = ?2 AND (cid = ?3 OR (cid IS NULL "
    "AND ?3 IS NULL)) LIMIT 1";

std::optional<ByteView> BytesOf(const std::optional<ClientId>& client) {
  return client ? std::optional<ByteView>(client->bytes()) : std::nullopt;
}

}  // namespace

Result<ActStore> ActStore::Open(Database& database) {
  ActStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertAct));
  COFFER_ASSIGN(store.forward_, Statement::Prepare(database, kActsForward));
  COFFER_ASSIGN(store.has_, Statement::Prepare(database, kHasAct));
  return store;
}

Status ActStore::Insert(const ActRow& row) {
  return insert_.Execute(row.id.bytes(), Name(row.kind), std::string_view(row.object),
                         BytesOf(row.client), row.seq, row.acted.ms, ByteView(row.sealed));
}

Result<std::vector<std::pair<std::int64_t, ActRow>>> ActStore::ListForward(std::int64_t after,
                                                                           std::size_t limit) {
  std::vector<std::pair<std::int64_t, ActRow>> acts;
  auto rows = forward_.Query(after, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return acts;
    ActRow row;
    std::ranges::copy(rows.Blob(1), row.id.value.begin());
    const auto kind = audit::ActKindFromName(rows.Text(2));
    if (!kind) return Fail(Code::kCorrupted, "storage_corrupted", "the kind of an act");
    row.kind = *kind;
    row.object = rows.Text(3);
    if (!rows.IsNull(4)) std::ranges::copy(rows.Blob(4), row.client.emplace().value.begin());
    row.seq = static_cast<std::uint64_t>(rows.Int(5));
    row.acted = Timestamp{rows.Int(6)};
    const auto sealed = rows.Blob(7);
    row.sealed.assign(sealed.begin(), sealed.end());
    acts.emplace_back(rows.Int(0), std::move(row));
  }
}

Result<bool> ActStore::Has(ActKind kind, std::string_view object,
                           const std::optional<ClientId>& client) {
  auto rows = has_.Query(object, Name(kind), BytesOf(client));
  return rows.Next();
}

}  // namespace coffer::vault
