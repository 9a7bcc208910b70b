// The register of requests, as it is stored.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/rights/request.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

struct StoredRegime {
  std::string name, definition;
  std::uint64_t version = 0;
};

// How many are open, of those whose time runs how many are late, or will be within days.
struct RequestCounts {
  std::uint64_t open = 0, paused = 0, overdue = 0, due_soon = 0;
};

class RequestStore {
 public:
  static Result<RequestStore> Open(Database& database);

  Status Insert(const RequestRow& row);
  Status Update(const RequestRow& row);
  Result<std::optional<RequestRow>> Find(const RequestId& id);
  // Behind the row `after` (0: from the first on), in the order in which they are due, those of
  // which nothing is counted last; only what is due by `until`.
  Result<std::vector<RequestRow>> ListOpen(std::int64_t after, Timestamp until, std::size_t limit);
  // Rows before `before`, the newest first; of one client, or of all.
  Result<std::vector<RequestRow>> List(std::int64_t before, const std::optional<ClientId>& client,
                                       std::size_t limit);
  // Of one client for one kind, the oldest first.
  Result<std::vector<RequestRow>> ListOpenOf(const ClientId& client, RequestKind kind);
  // Of a regime, rows after `after`.
  Result<std::vector<RequestRow>> ListOpenUnder(std::string_view regime, std::int64_t after,
                                                std::size_t limit);
  Result<RequestCounts> Count(Timestamp now, Timestamp soon);

  Status InsertStep(const RequestId& id, const RequestStep& step);
  Result<std::vector<RequestStep>> ListSteps(const RequestId& id);

  // What was said in requests of one client.
  struct Words {
    RequestId id;
    std::uint64_t number = 0;
    Bytes sealed;
  };
  Result<std::vector<Words>> WordsOf(const ClientId& client);
  Status PutWords(const RequestId& id, std::uint64_t number, ByteView sealed);
  Status DropWordsOf(const ClientId& client);

  Result<std::vector<StoredRegime>> LoadRegimes();  // the newest version of each
  Status InsertRegime(const Regime& regime, Timestamp now);
  Result<std::optional<StoredRegime>> FindRegime(std::string_view name, std::uint64_t version);

  // Closed ones under the regime, closed before `closed`; at most `limit`.
  Result<std::vector<RequestRow>> ListClosed(std::string_view regime, Timestamp closed,
                                             std::size_t limit);
  Status Delete(const RequestId& id);

 private:
  static Result<std::vector<RequestRow>> Collect(Cursor rows);

  Statement insert_, update_, find_, list_open_, list_, list_of_, open_of_, open_under_, count_,
      insert_step_, steps_, words_, put_words_, drop_words_, regimes_, insert_regime_, find_regime_,
      list_closed_, delete_, delete_steps_;
};

}  // namespace coffer::vault
