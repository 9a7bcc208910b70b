// What was decided when the vault was made, and what it notes about itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vault/storage/sqlite.h"

namespace coffer::vault {

class SettingStore {
 public:
  static Result<SettingStore> Open(Database& database);
  Result<std::optional<std::string>> Find(std::string_view name);
  Status Put(std::string_view name, std::string_view value);

 private:
  Statement find_, put_;
};

}  // namespace coffer::vault
