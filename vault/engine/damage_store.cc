#include "vault/engine/damage_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kLoadDamaged = "SELECT id, client, record FROM damaged";
constexpr std::string_view kPutDamaged =
    "INSERT INTO damaged (id, found, reason, client, record) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
    "(id) "
    "DO UPDATE SET found = excluded.found, reason = excluded.reason, client = excluded.client, "
    "record = excluded.record";
constexpr std::string_view kDeleteDamaged = "DELETE FROM damaged WHERE id = ?";

}  // namespace

Result<DamageStore> DamageStore::Open(Database& database) {
  DamageStore store;
  COFFER_ASSIGN(store.load_, Statement::Prepare(database, kLoadDamaged));
  COFFER_ASSIGN(store.put_, Statement::Prepare(database, kPutDamaged));
  COFFER_ASSIGN(store.delete_, Statement::Prepare(database, kDeleteDamaged));
  return store;
}

Result<std::vector<DamageStore::Damage>> DamageStore::Load() {
  std::vector<Damage> all;
  auto rows = load_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return all;
    Damage& damage = all.emplace_back();
    std::ranges::copy(rows.Blob(0), damage.id.begin());
    damage.client = rows.Text(1);
    damage.record = rows.Text(2);
  }
}

Status DamageStore::Put(const Damage& damage, audit::Timestamp found, std::string_view reason) {
  return put_.Execute(ByteView(damage.id), found.ms, reason, std::string_view(damage.client),
                      std::string_view(damage.record));
}

Status DamageStore::Delete(const crypto::Id128& id) { return delete_.Execute(ByteView(id)); }

}  // namespace coffer::vault
