// The rows of the register of breaches: added, and never altered or removed, which triggers of the
// database refuse too.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vault/oversight/breach.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

class BreachStore {
 public:
  static Result<BreachStore> Open(Database& database);

  // The row of a new one.
  Result<std::int64_t> Insert(const BreachId& id);
  Status Append(std::int64_t row, const BreachEvent& event);
  // With its history, and nothing made of it yet (breach_document.h).
  Result<std::optional<Breach>> Find(const BreachId& id);
  // Rows before `before`, the newest first.
  Result<std::vector<Breach>> List(std::int64_t before, std::size_t limit);

 private:
  Result<std::vector<Breach>> Collect(Cursor rows);

  Statement insert_, append_, find_, list_, history_;
};

}  // namespace coffer::vault
