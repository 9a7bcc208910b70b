// Notices as they are stored: steps are added, and none is altered or removed, which triggers of
// the database refuse too. Which clients were told goes with them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vault/rights/notice.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

class NoticeStore {
 public:
  static Result<NoticeStore> Open(Database& database);

  // The row of a new one.
  Result<std::int64_t> Insert(const Notice& notice);
  Status Append(std::int64_t row, const NoticeStep& step);
  Status Close(std::int64_t row, Timestamp closed);
  // With the first step made into its form; `steps`: with all of them.
  Result<std::optional<Notice>> Find(const NoticeId& id, bool steps);
  // Rows before `before`, the newest first, without their steps.
  Result<std::vector<Notice>> List(std::int64_t before, std::size_t limit);
  Result<NoticeCounts> Count(Timestamp due);

  // False: the client was told before.
  Result<bool> Tell(std::int64_t row, std::int64_t client, std::uint64_t step);
  // Clients that were told, of those after `after` and up to `until`, in order; at most `limit`.
  Result<std::vector<std::int64_t>> ListTold(std::int64_t row, std::int64_t after,
                                             std::int64_t until, std::size_t limit);
  Result<std::uint64_t> CountTellingsOf(const ClientId& client);
  Status DropTellingsOf(const ClientId& client);

 private:
  Result<std::vector<Notice>> Collect(Cursor rows, bool steps);

  Statement insert_, append_, counted_, close_, find_, list_, steps_, count_, tell_, told_,
      count_of_, drop_;
};

}  // namespace coffer::vault
