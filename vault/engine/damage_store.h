// Which clients and records are refused, because the scrub found that they are not what the log
// says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/text/clock.h"
#include "crypto/encoding.h"
#include "vault/base/timestamp.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

class DamageStore {
 public:
  struct Damage {
    crypto::Id128 id{};
    std::string client, record;  // as the log names them
  };
  static Result<DamageStore> Open(Database& database);
  Result<std::vector<Damage>> Load();
  Status Put(const Damage& damage, audit::Timestamp found, std::string_view reason);
  Status Delete(const crypto::Id128& id);

 private:
  Statement load_, put_, delete_;
};

}  // namespace coffer::vault
