// The access log: searched, read, proven. Each look is itself an entry.
#pragma once

#include <cstdint>
#include <string>

#include "audit/tlog/tile.h"
#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/function_ref.h"
#include "vault/engine/engine.h"
#include "vault/engine/published_tree.h"
#include "vault/engine/snapshot_reader.h"
#include "vault/oversight/consistency_proof.h"
#include "vault/oversight/log_page.h"
#include "vault/oversight/log_reader.h"
#include "vault/oversight/log_summary.h"

namespace coffer::vault {

class AccessLog {
 public:
  AccessLog(const Operations& operations, LogReaders& readers, SnapshotReaders& snapshots,
            const PublishedTrees& trees)
      : operations_(operations), readers_(readers), snapshots_(snapshots), trees_(trees) {}

  // What is found nowhere has to be a value that the policy or the log knows. Errors:
  // kInvalidArgument "filter_invalid" for what no entry can have, "filter_unknown", both with
  // issues that name the filter ("/action").
  Result<LogPage> ReadLog(const Caller& caller, const LogFilter& filter,
                          const LogPageRequest& page);
  Result<LogEntryView> ReadLogEntry(const Caller& caller, std::uint64_t seq);
  // An inclusion proof under the last published checkpoint, as a tlog-proof document. Errors:
  // kNotFound when no checkpoint covers the entry yet.
  Result<std::string> ProveLogEntry(const Caller& caller, std::uint64_t seq);
  Result<std::string> ReadCheckpoint(const Caller& caller);
  // A tile or an entry bundle (C2SP tlog-tiles) of the last published checkpoint's tree, or of a
  // smaller one's. Errors: kNotFound.
  Result<std::string> ReadLogTile(const Caller& caller, const audit::TilePath& path);
  // Between two sizes that were published or could have been. Errors: kInvalidArgument
  // "size_invalid" unless old_size <= size <= that of the last published checkpoint.
  Result<ConsistencyProof> ProveConsistency(const Caller& caller, std::uint64_t old_size,
                                            std::uint64_t size);
  // Errors: as ReadLog; kUnprocessable "summary_too_large": narrow the time;
  // kUnavailable "index_behind" while the log's index is being made.
  Result<LogSummary> SummariseLog(const Caller& caller, const LogSummaryRequest& request);

  // What SummariseLog counts, for who was authorised already.
  Status CountLog(const LogSummaryRequest& request, bool actor_known, LogSummary& summary) const;

 private:
  // With `check` in the operation that authorises it: of the checkpoint's size.
  Result<PublishedTree> LookAtTree(Call& call,
                                   FunctionRef<Status(Transaction&, std::uint64_t)> check) const;

  const Operations& operations_;
  LogReaders& readers_;
  SnapshotReaders& snapshots_;
  const PublishedTrees& trees_;
};

}  // namespace coffer::vault
