// The retention schedule, what it would do, and its runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/ids.h"
#include "vault/deletion/class_preview.h"
#include "vault/deletion/document_request.h"
#include "vault/deletion/retention_preview.h"
#include "vault/deletion/retention_run.h"
#include "vault/deletion/retention_runner.h"
#include "vault/engine/snapshot_reader.h"

namespace coffer::vault {

class Retention {
 public:
  Retention(const Operations& operations, const TwoPersonRule& two_person,
            SnapshotReaders& snapshots, RetentionRunner& runner)
      : operations_(operations), two_person_(two_person), snapshots_(snapshots), runner_(runner) {}

  // Errors: kNotFound while there is none.
  Result<StoredSchedule> GetRetentionSchedule(const Caller& caller,
                                              std::optional<std::uint64_t> version);
  // Takes an approval of "retention.write" about "schedule" with the document as content. Errors:
  // those of ParseSchedule.
  Result<StoredSchedule> PutRetentionSchedule(const Caller& caller, std::string_view definition);
  Result<RetentionPreview> PreviewRetention(const Caller& caller,
                                            const RetentionPreviewRequest& request);
  // What `definition` would do to due dates as the newest version of the class. Where it moves
  // some, PutClass takes an approval of "retention.write" about "class:NAME" with it as content.
  // Errors: those of PutClass; kConflict "time_zone_unknown".
  Result<ClassPreview> PreviewClass(const Caller& caller, std::string_view name,
                                    std::string_view definition);
  // Errors: kConflict "run_in_progress", "no_schedule", "clock_unconfirmed".
  Result<RetentionRun> StartRetentionRun(const Caller& caller);
  Result<RetentionRun> GetRetentionRun(const Caller& caller, const RunId& id);
  Result<std::vector<RetentionRun>> ListRetentionRuns(const Caller& caller);
  Result<std::string> ReadRunReport(const Caller& caller, const RunId& id,
                                    const DocumentRequest& request);
  // That the clock is right after it jumped. Takes an approval of "clock.confirm" about today's
  // date, "YYYY-MM-DD".
  Status ConfirmClock(const Caller& caller);

 private:
  const Operations& operations_;
  const TwoPersonRule& two_person_;
  SnapshotReaders& snapshots_;
  RetentionRunner& runner_;
};

}  // namespace coffer::vault
