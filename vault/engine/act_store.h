// The acts that the ledger has (protective_act.h), as this database knows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "vault/base/ids.h"
#include "vault/engine/protective_act.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

class ActStore {
 public:
  static Result<ActStore> Open(Database& database);

  Status Insert(const ActRow& row);
  // Row ids and rows after `after` upwards, the oldest first.
  Result<std::vector<std::pair<std::int64_t, ActRow>>> ListForward(std::int64_t after,
                                                                   std::size_t limit);
  // Whether there is one of this kind about the object.
  Result<bool> Has(ActKind kind, std::string_view object, const std::optional<ClientId>& client);

 private:
  Statement insert_, forward_, has_;
};

}  // namespace coffer::vault
