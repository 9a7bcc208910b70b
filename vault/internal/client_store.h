// Rows of clients, their references and tags, and the register of erasures.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/clock.h"
#include "crypto/blind_index.h"
#include "vault/ids.h"
#include "vault/internal/sqlite.h"

namespace coffer::vault {

using audit::Timestamp;
using crypto::BlindToken;

enum class ClientState { kActive = 1 };

struct ClientRow {
  ClientId id;
  ClientState state = ClientState::kActive;
  std::uint64_t version = 1;
  Timestamp created, updated;
  std::string tags;  // sorted, separated by single spaces
  Bytes profile;     // sealed
  std::optional<BlindToken> ref;
};

struct ErasureRow {
  ClientId client;
  Timestamp erased;
  std::uint64_t seq = 0;
  std::uint64_t records = 0;
};

class ClientStore {
 public:
  static Result<ClientStore> Open(Database& database);

  // Errors: kConflict "external_ref_taken".
  Status Insert(const ClientRow& row);
  Status Update(const ClientRow& row, const ClientRow& before);
  Result<std::optional<ClientRow>> Find(const ClientId& id);
  Result<std::optional<ClientRow>> FindRow(std::int64_t row);
  Result<std::optional<std::int64_t>> FindByReference(const BlindToken& ref);
  // Rows after `after`, in the order of ids; all, or those with the tag.
  Result<std::vector<std::int64_t>> List(std::int64_t after, std::string_view tag,
                                         std::size_t limit);
  Status Delete(const ClientRow& row);
  Result<std::uint64_t> Count();

  Status InsertErasure(const ErasureRow& row);
  Status MarkKeysDestroyed();
  Result<std::vector<ClientId>> ErasedClients();
  Result<std::optional<ErasureRow>> FindErasure(const ClientId& id);
  Result<std::uint64_t> CountErasures();

 private:
  Status WriteTags(const ClientRow& row, std::string_view tags, Statement& statement);

  Statement insert_, update_, find_, find_ref_, insert_ref_, delete_ref_, insert_tag_, delete_tag_,
      list_, list_by_tag_, delete_, count_, insert_erasure_, mark_destroyed_, erased_clients_,
      find_erasure_, count_erasures_;
};

}  // namespace coffer::vault
