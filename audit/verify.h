// Verification of a whole log, streaming in constant memory.
//
// A finding's `check` says what does not hold:
//   canonical, sequence, origin, time, chain   an entry, or its place
//   tile         a stored tile is not that of the entries
//   truncated    a trusted checkpoint covers more entries than there are: a rollback
//   checkpoint   a trusted checkpoint is not of this log (a fork, or history written anew), or it
//                is none: malformed, of another log, signed by no key of this one
//   epoch        an entry about signing keys breaks the rules of key_history.h, the trusted key is
//                none of the log's, or a checkpoint is signed by a key that may not sign its size
//                or that nothing trusted leads to
//   state        what on_entry refused
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "audit/log_reader.h"
#include "crypto/result.h"

namespace coffer::audit {

struct VerifyOptions {
  VerifierKey key;  // the one that is trusted; what others are worth: key_history.h
  // Signed notes that the log must contain as prefixes (the anchor's, a stored one, an auditor's).
  std::vector<std::string> checkpoints;
  bool check_tiles = true;  // off for sources that have none
  // Called for each entry that passed, in order; for checks that go beyond the log.
  std::function<Status(const Entry&, std::string_view bytes)> on_entry;
};

struct VerifyReport {
  std::uint64_t size = 0;
  Hash root{};  // zero when an entry is missing: there is no such tree
  std::uint64_t allowed = 0;
  std::uint64_t denied = 0;
  std::optional<Checkpoint> newest_checkpoint;  // the largest of the options that holds
  std::string newest_note;                      // its note, and of its keys the one that the log
  std::optional<VerifierKey> newest_key;        // named last: what to remember (remembered.h)
  // What is wrong, first first; empty means whole. At most 20 are kept.
  struct Finding {
    std::optional<std::uint64_t> seq;  // the first bad entry
    std::string check;
    std::string message;
  };
  std::vector<Finding> findings;
  bool ok() const { return findings.empty(); }
};

// Checks every entry's canonical form, sequence, origin, monotonic time and `prev`; recomputes the
// tree and compares stored tiles; checks that each checkpoint is signed by a key that may sign it
// and is the root of the log at its size. An Error is returned only when the source cannot be read.
Result<VerifyReport> VerifyLog(LogSource& source, const VerifyOptions& options);

}  // namespace coffer::audit
