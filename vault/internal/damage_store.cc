#include "vault/internal/damage_store.h"

#include <algorithm>

namespace coffer::vault {

Result<DamageStore> DamageStore::Open(Database& database) {
  DamageStore store;
  COFFER_ASSIGN(store.load_, Statement::Prepare(database, "SELECT id FROM damaged"));
  COFFER_ASSIGN(store.put_, Statement::Prepare(database,
                                               "INSERT OR REPLACE INTO damaged (id, found, reason) "
                                               "VALUES (?, ?, ?)"));
  COFFER_ASSIGN(store.delete_, Statement::Prepare(database, "DELETE FROM damaged WHERE id = ?"));
  return store;
}

Result<std::vector<crypto::Id128>> DamageStore::Load() {
  std::vector<crypto::Id128> ids;
  auto rows = load_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return ids;
    std::ranges::copy(rows.Blob(0), ids.emplace_back().begin());
  }
}

Status DamageStore::Put(const crypto::Id128& id, audit::Timestamp found, std::string_view reason) {
  return put_.Execute(ByteView(id), found.ms, reason);
}

Status DamageStore::Delete(const crypto::Id128& id) { return delete_.Execute(ByteView(id)); }

}  // namespace coffer::vault
