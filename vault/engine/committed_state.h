// What the log commits to beside clients and records: people, tokens, roles, assignments, holds and
// the other tables that decide what a request may do.
//
// Each row has a keyed hash; a table's sum is that of its rows' (mod 2^256), so that a change costs
// what was changed, whatever the table holds (Clarke et al. 2003, "Incremental Multiset Hash
// Functions": MSet-Add-Hash). The entry of the operation that changes a table has a hash of all
// sums: an old page that is put back under the newest log does not agree with it. That hash is
// keyed too: who reads the log learns nothing from it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/keyring.h"
#include "vault/engine/log_store.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

inline constexpr std::size_t kCommittedTables = 31;

using StateSum = std::array<std::uint64_t, 4>;  // mod 2^256, least significant first
using StateSums = std::array<StateSum, kCommittedTables>;

class CommittedState {
 public:
  // Teaches the connection how rows are hashed; it outlives this, and writes nothing afterwards
  // where it was followed.
  static Result<std::unique_ptr<CommittedState>> Open(Database& database,
                                                      const crypto::Keyring& keyring);
  CommittedState(const CommittedState&) = delete;
  CommittedState& operator=(const CommittedState&) = delete;
  ~CommittedState();

  // From now on every change through this connection is in the sums. To be called once, and again
  // where the database goes on with another connection.
  Status Follow();

  const StateSums& sums() const { return sums_; }
  // What they were before an operation that was rolled back.
  void Restore(const StateSums& sums) { sums_ = sums; }
  crypto::Hash Hash() const;

  // That of the log's first `size` entries, `seq` is the last with a hash: of the sums as they are.
  Status Store(std::uint64_t size, std::uint64_t seq);
  // That there is none among the entries up to `size` either.
  Status Advance(std::uint64_t size);

  // The last hash in the log, wherever old pages say that it stands; nothing where there is none.
  struct Logged {
    std::uint64_t seq = 0;
    crypto::Hash hash{};
  };
  Result<std::optional<Logged>> FindLogged(LogStore& log);
  // What is stored against that, as both are in the transaction that is open: nothing where they
  // agree or where nothing was logged yet, else what differs, in words. Sums up what is stored.
  Result<std::optional<std::string>> FindDifference(LogStore& log);

 private:
  struct Table {
    std::size_t index = 0;
    std::vector<std::string> columns;  // in the order of their names
  };
  struct Stored {
    std::uint64_t size = 0, seq = 0;
    Bytes sums;
  };

  CommittedState(Database& database, const crypto::Keyring& keyring);
  void OnRow(std::size_t table, SqlValues values);
  crypto::Hash HashRow(std::size_t table, SqlValues values) const;
  Status Prepare();
  Status SumUp();
  Result<std::optional<Stored>> ReadStored();
  std::string DescribeDifference(const std::optional<Stored>& stored, const Logged& logged) const;

  Database& database_;
  crypto::SecretBytes key_;
  bool followed_ = false;
  StateSums sums_{};
  std::array<Table, kCommittedTables> tables_;
  std::optional<Statement> read_, store_, advance_;  // none in a copy from before the table
};

}  // namespace coffer::vault
