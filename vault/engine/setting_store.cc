#include "vault/engine/setting_store.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kFindSetting = "SELECT value FROM settings WHERE name = ?";
constexpr std::string_view kPutSetting =
    "INSERT INTO settings (name, value) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value";

}  // namespace

Result<SettingStore> SettingStore::Open(Database& database) {
  SettingStore store;
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindSetting));
  COFFER_ASSIGN(store.put_, Statement::Prepare(database, kPutSetting));
  return store;
}

Result<std::optional<std::string>> SettingStore::Find(std::string_view name) {
  auto rows = find_.Query(name);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return std::string(rows.Text(0));
}

Status SettingStore::Put(std::string_view name, std::string_view value) {
  return put_.Execute(name, value);
}

}  // namespace coffer::vault
