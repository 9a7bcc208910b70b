#include "vault/engine/key_store.h"

#include "vault/storage/dialect.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kPutKey =
    "INSERT INTO client_keys (client, generation, cid, wrapped) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (client, generation) DO UPDATE SET cid = excluded.cid, wrapped = excluded.wrapped";
constexpr std::string_view kFindKey =
    "SELECT cid, wrapped FROM client_keys WHERE client = ? AND generation = ?";
constexpr std::string_view kFindFirstKey =
    "SELECT cid, wrapped FROM client_keys WHERE client = ? AND ? = 0";
constexpr std::string_view kOldestKey =
    "SELECT min(generation) FROM client_keys WHERE client = ? AND cid = ?";
constexpr std::string_view kDeleteKeys =
    "DELETE FROM client_keys WHERE client = ? AND generation <= ? AND cid = ?";
constexpr std::string_view kLaterKeys =
    "SELECT cid, generation FROM client_keys WHERE generation > 0";
constexpr std::string_view kListKeys =
    "SELECT rowid, cid, wrapped FROM client_keys WHERE rowid > ? ORDER BY rowid LIMIT ?";
constexpr std::string_view kRewrapKey = "UPDATE client_keys SET wrapped = ? WHERE rowid = ?";
constexpr std::string_view kIndexKeys = "SELECT generation, wrapped FROM index_keys";
constexpr std::string_view kPutIndexKey =
    "INSERT INTO index_keys (generation, wrapped) VALUES (?, ?)";
constexpr std::string_view kDeleteIndexKeys = "DELETE FROM index_keys WHERE generation <> ?";
constexpr std::string_view kDeleteKey =
    "DELETE FROM client_keys WHERE client = ? AND generation = ? AND cid = ?";

}  // namespace

Result<KeyStore> KeyStore::Open(Database& database) {
  KeyStore store;
  COFFER_ASSIGN(store.put_, Statement::Prepare(database, kPutKey));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindKey));
  COFFER_ASSIGN(store.oldest_, Statement::Prepare(database, kOldestKey));
  COFFER_ASSIGN(store.later_, Statement::Prepare(database, kLaterKeys));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListKeys));
  COFFER_ASSIGN(store.rewrap_, Statement::Prepare(database, kRewrapKey));
  COFFER_ASSIGN(store.delete_, Statement::Prepare(database, kDeleteKey));
  COFFER_ASSIGN(store.delete_up_to_, Statement::Prepare(database, kDeleteKeys));
  COFFER_ASSIGN(store.index_keys_, Statement::Prepare(database, kIndexKeys));
  COFFER_ASSIGN(store.put_index_key_, Statement::Prepare(database, kPutIndexKey));
  COFFER_ASSIGN(store.delete_index_keys_, Statement::Prepare(database, kDeleteIndexKeys));
  return store;
}

Result<KeyStore> KeyStore::OpenForReading(const Database& database) {
  KeyStore store;
  COFFER_ASSIGN(const bool generations, HasColumn(database, "client_keys", "generation"));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, generations ? kFindKey : kFindFirstKey));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListKeys));
  return store;
}

Status KeyStore::Put(const ClientKeyId& key, ByteView wrapped) {
  return put_.Execute(key.client.Row(), key.generation, key.client.bytes(), wrapped);
}

Result<std::optional<Bytes>> KeyStore::Find(const ClientKeyId& key) {
  auto rows = find_.Query(key.client.Row(), key.generation);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found || !std::ranges::equal(rows.Blob(0), key.client.bytes())) return std::nullopt;
  const auto wrapped = rows.Blob(1);
  return Bytes(wrapped.begin(), wrapped.end());
}

Result<std::optional<std::uint64_t>> KeyStore::OldestGeneration(const ClientId& client) {
  auto rows = oldest_.Query(client.Row(), client.bytes());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found || rows.IsNull(0)) return std::nullopt;
  return static_cast<std::uint64_t>(rows.Int(0));
}

Result<std::vector<ClientKeyId>> KeyStore::LaterGenerations() {
  std::vector<ClientKeyId> keys;
  auto rows = later_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return keys;
    ClientKeyId key;
    std::ranges::copy(rows.Blob(0), key.client.value.begin());
    key.generation = static_cast<std::uint64_t>(rows.Int(1));
    keys.push_back(key);
  }
}

Result<std::vector<WrappedClientKey>> KeyStore::ListAfter(std::int64_t row, std::size_t most) {
  std::vector<WrappedClientKey> keys;
  auto rows = list_.Query(row, static_cast<std::uint64_t>(most));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return keys;
    WrappedClientKey& key = keys.emplace_back();
    key.row = rows.Int(0);
    std::ranges::copy(rows.Blob(1), key.client.value.begin());
    const auto wrapped = rows.Blob(2);
    key.wrapped.assign(wrapped.begin(), wrapped.end());
  }
}

Status KeyStore::Rewrap(std::int64_t row, ByteView wrapped) {
  return rewrap_.Execute(wrapped, row);
}

Status KeyStore::Delete(const ClientKeyId& key) {
  return delete_.Execute(key.client.Row(), key.generation, key.client.bytes());
}

Status KeyStore::DeleteUpTo(const ClientKeyId& newest) {
  return delete_up_to_.Execute(newest.client.Row(), newest.generation, newest.client.bytes());
}

Result<std::vector<std::pair<std::uint64_t, Bytes>>> KeyStore::IndexKeys() {
  std::vector<std::pair<std::uint64_t, Bytes>> keys;
  auto rows = index_keys_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return keys;
    const auto wrapped = rows.Blob(1);
    keys.emplace_back(static_cast<std::uint64_t>(rows.Int(0)),
                      Bytes(wrapped.begin(), wrapped.end()));
  }
}

Status KeyStore::PutIndexKey(std::uint64_t generation, ByteView wrapped) {
  return put_index_key_.Execute(generation, wrapped);
}

Status KeyStore::DeleteIndexKeysBut(std::uint64_t generation) {
  return delete_index_keys_.Execute(generation);
}

}  // namespace coffer::vault
