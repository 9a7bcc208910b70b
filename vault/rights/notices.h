// The register of notices: what clients are told of a change, who was told how and when, and who
// was not yet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/page.h"
#include "vault/engine/snapshot_reader.h"
#include "vault/rights/notice.h"

namespace coffer::vault {

enum class NoticesAsked : std::uint8_t { kAll, kOpen, kClosed };

class Notices {
 public:
  Notices(const Operations& operations, SnapshotReaders& snapshots)
      : operations_(operations), snapshots_(snapshots) {}

  // For who may do this to all that are selected. Errors: kUnprocessable "notice_invalid" with
  // issues.
  Result<Notice> CreateNotice(const Caller& caller, const NoticeForm& form);
  Result<Notice> GetNotice(const Caller& caller, const NoticeId& id);
  // Without steps, the newest first.
  Result<Page<Notice>> ListNotices(const Caller& caller, NoticesAsked asked,
                                   const PageRequest& page);
  // Also of a closed one, for clients that came since. With `all` of those that the selection has
  // now, 1000 at most: call again with the cursor. Each client gets an entry. Errors:
  // kUnprocessable "notice_invalid" with issues, also for a client that is not there for the
  // caller; kConflict "notice_too_long".
  Result<Told> Tell(const Caller& caller, const NoticeId& id, const TellingForm& form);
  // Clients that the selection has now, that were there before the notice takes effect, and that
  // were not told. A page looks at 2000 at most: it can have fewer items, and go on.
  Result<Page<ClientId>> ListPending(const Caller& caller, const NoticeId& id,
                                     const PageRequest& page);
  // Restrictions and objections that stand and were placed since the notice was made, of clients
  // that were told; of whom the caller may know it.
  Result<Page<NoticeObjection>> ListObjections(const Caller& caller, const NoticeId& id,
                                               const PageRequest& page);
  // For who may do this to all that are selected. `not_told`: why clients were not. Errors:
  // kConflict "notice_closed", "notice_untold" with an issue that says how many, where they are
  // without a reason; kUnprocessable "notice_invalid".
  Result<Notice> CloseNotice(const Caller& caller, const NoticeId& id, std::string_view not_told);

 private:
  // All of the selection, beside the engine.
  Result<std::uint64_t> CountUntold(const Notice& notice) const;

  const Operations& operations_;
  SnapshotReaders& snapshots_;
};

}  // namespace coffer::vault
