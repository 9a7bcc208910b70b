// The register of erasures: what they took, how far they came, what their acts say.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/text/clock.h"
#include "crypto/blind_index.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/engine/erasure_scope.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// kCommitted: rows gone, the key not yet. kDestroyed: the key too, and the ledger has it. What a
// crash leaves in one of these is finished when the vault is opened.
// How long acts are kept. Order 179 asks for three years; counted so that no leap day makes them
// shorter.
inline constexpr std::int64_t kActLifetimeMs = std::int64_t{3} * 366 * 24 * 3600 * 1000;

enum class ErasureState { kCommitted, kDestroyed, kComplete };

struct ErasureRow {
  ErasureId id;
  ClientId client;
  ErasureScope scope = ErasureScope::kClient;
  ErasureBasis basis = ErasureBasis::kRequest;
  std::string class_name;
  Timestamp erased;
  std::uint64_t seq = 0;
  std::uint64_t records = 0, versions = 0;
  std::uint64_t generation = 0;  // of the key that is destroyed
  ErasureState state = ErasureState::kCommitted;
  std::uint64_t ledger_seq = 0;                      // of its first line, from kDestroyed on
  std::vector<RecordId> record_ids;                  // of scope kRecords
  std::string facts;                                 // what the act says: JSON; empty: purged
  std::optional<crypto::BlindToken> ref_token = {};  // of the client's external reference
};

class ErasureStore {
 public:
  static Result<ErasureStore> Open(Database& database);

  Status Insert(const ErasureRow& row);
  // One that took more than it is known for; its act is made anew.
  Status Extend(const ErasureRow& row);
  Status MarkKeyDestroyed(const ErasureRow& row);
  // True: it was destroyed, and is complete now.
  Result<bool> MarkComplete(const ErasureId& id);
  Result<std::optional<ErasureRow>> Find(const ErasureId& id);
  // Of one client, newest first.
  Result<std::vector<ErasureRow>> ListOf(const ClientId& client);
  // The newest of a client that had this external reference.
  Result<std::optional<ErasureRow>> FindByReference(const crypto::BlindToken& token);
  // Those that are not complete, oldest first.
  Result<std::vector<ErasureRow>> ListUnfinished();
  // Row ids and rows before `before` downwards.
  Result<std::vector<std::pair<std::int64_t, ErasureRow>>> List(std::int64_t before,
                                                                std::size_t limit);
  // Row ids and rows after `after` upwards.
  Result<std::vector<std::pair<std::int64_t, ErasureRow>>> ListForward(std::int64_t after,
                                                                       std::size_t limit);
  // The client and the newest generation that is gone, of each erasure.
  Status ForEachDestroyedKey(
      const std::function<Status(const ClientId&, ErasureScope, std::uint64_t)>& each);
  Result<std::uint64_t> Count();

  Result<std::optional<std::string>> FindAct(const ErasureId& id);
  // Where there is none yet.
  Status PutAct(const ErasureId& id, std::string_view act);
  // Acts, what they are made of, and the tokens of references, of erasures before `oldest`.
  Status PurgeActs(Timestamp oldest);

 private:
  static Result<std::vector<ErasureRow>> Collect(Cursor rows);
  static Result<std::vector<std::pair<std::int64_t, ErasureRow>>> CollectNumbered(Cursor rows);

  Statement insert_, extend_, mark_destroyed_, mark_complete_, find_, find_reference_, list_of_,
      unfinished_, list_, forward_, keys_, count_, find_act_, put_act_, purge_;
};

}  // namespace coffer::vault
