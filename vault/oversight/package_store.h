// Access packages: their rows.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vault/oversight/package.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

class PackageStore {
 public:
  static Result<PackageStore> Open(Database& database);

  Status Insert(const PackageRow& row);
  Status Update(const PackageRow& row);
  Result<std::optional<PackageRow>> Find(const PackageId& id);
  // Rows before `before`, the newest first; of one client, or of all.
  Result<std::vector<PackageRow>> List(std::int64_t before, const std::optional<ClientId>& client,
                                       std::size_t limit);
  // Of those that can be handed out still.
  Result<std::uint64_t> CountPrepared(const ClientId& client, Timestamp now);

  Status PutPart(const PackageId& id, const PackagePart& part);
  Result<std::vector<PackagePart>> ListParts(const PackageId& id);
  Result<std::optional<PackagePart>> FindPart(const PackageId& id, std::uint64_t number);
  Status DropParts(const PackageId& id);

 private:
  Statement insert_, update_, find_, list_, list_of_, count_, put_part_, parts_, part_, drop_parts_;
};

}  // namespace coffer::vault
