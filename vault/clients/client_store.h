// Rows of clients, their references and tags.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/text/clock.h"
#include "vault/access/client_row.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/clients/index_terms.h"
#include "vault/clients/search_index.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

using audit::Timestamp;

class ClientStore {
 public:
  static Result<ClientStore> Open(Database& database);
  // For looking only, also at a database that no newer version was opened with yet: List, Find,
  // FindRow.
  static Result<ClientStore> OpenForReading(const Database& database);

  // Errors: kConflict "external_ref_taken".
  Status Insert(const ClientRow& row, SearchIndex& index);
  Status Update(const ClientRow& row, const ClientRow& before, SearchIndex& index);
  Result<std::optional<ClientRow>> Find(const ClientId& id);
  Result<std::optional<ClientRow>> FindRow(std::int64_t row);
  Result<std::optional<Timestamp>> FindCreated(std::int64_t row);
  // Rows after `after`, in the order of ids; all, or those with the tag.
  Result<std::vector<std::int64_t>> List(std::int64_t after, std::string_view tag,
                                         std::size_t limit);
  Status Delete(const ClientRow& row, SearchIndex& index);
  Result<std::uint64_t> Count();

  Result<std::optional<std::uint64_t>> FindGeneration(const ClientId& id);
  // Rows after `after`, without their profiles, for the index.
  Result<std::vector<ClientRow>> ListIndexed(std::int64_t after, std::size_t limit);
  Status PutRef(std::int64_t client, ByteView ref);
  // The profile and all of the client's records are sealed under the row's key from entry `since`
  // on.
  Status Reseal(const ClientRow& row, std::uint64_t since);
  // Entries before this one say nothing of what is sealed now.
  Result<std::uint64_t> SealedSince(const ClientId& id);

 private:
  Status WriteTags(const ClientRow& row, std::string_view tags, Statement& statement);

  Statement insert_, update_, find_, insert_tag_, delete_tag_, list_, list_by_tag_, delete_, count_,
      generation_, reseal_, sealed_since_, list_indexed_, put_ref_, created_;
};

}  // namespace coffer::vault
