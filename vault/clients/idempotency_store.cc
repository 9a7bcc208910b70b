#include "vault/clients/idempotency_store.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kFindIdempotency = "SELECT body, object FROM idempotency WHERE key = ?";
constexpr std::string_view kInsertIdempotency =
    "INSERT INTO idempotency (key, body, object, client, created) VALUES (?, ?, ?, ?, ?)";
constexpr std::string_view kDeleteIdempotency = "DELETE FROM idempotency WHERE client = ?";
constexpr std::string_view kDeleteIdempotent =
    "DELETE FROM idempotency WHERE client = ? AND object = ?";
// In portions, so that nobody waits for long. What a clock made that ran ahead goes too: it would
// stand before the rest for as long.
constexpr std::string_view kPurgeIdempotency =
    "DELETE FROM idempotency WHERE id IN (SELECT id FROM idempotency WHERE id < "
    "(SELECT min(id) FROM idempotency) + 1000) AND (created < ?1 OR created > ?2) RETURNING 1";

}  // namespace

Result<IdempotencyStore> IdempotencyStore::Open(Database& database) {
  IdempotencyStore store;
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindIdempotency));
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertIdempotency));
  COFFER_ASSIGN(store.delete_of_, Statement::Prepare(database, kDeleteIdempotency));
  COFFER_ASSIGN(store.delete_object_, Statement::Prepare(database, kDeleteIdempotent));
  COFFER_ASSIGN(store.purge_, Statement::Prepare(database, kPurgeIdempotency));
  return store;
}

Result<std::optional<IdempotencyStore::Row>> IdempotencyStore::Find(const crypto::Hash& key) {
  auto rows = find_.Query(ByteView(key));
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  Row row;
  std::ranges::copy(rows.Blob(0), row.body.begin());
  std::ranges::copy(rows.Blob(1), row.object.begin());
  return row;
}

Status IdempotencyStore::Insert(const crypto::Hash& key, const Row& row, std::int64_t client,
                                Timestamp now) {
  return insert_.Execute(ByteView(key), ByteView(row.body), ByteView(row.object), client, now.ms);
}

Status IdempotencyStore::DeleteOf(std::int64_t client) { return delete_of_.Execute(client); }

Status IdempotencyStore::DeleteObject(std::int64_t client, const Id128& object) {
  return delete_object_.Execute(client, ByteView(object));
}

Result<bool> IdempotencyStore::PurgeOutside(Timestamp oldest, Timestamp newest) {
  auto rows = purge_.Query(oldest.ms, newest.ms);
  bool any = false;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return any;
    any = true;
  }
}

}  // namespace coffer::vault
