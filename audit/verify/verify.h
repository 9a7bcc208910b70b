// Verification of a whole log, streaming in constant memory.
//
// A finding's `check` says what does not hold:
//   canonical, sequence, origin, time, chain   an entry, or its place
//   tile         a stored tile is not that of the entries
//   succession   a trusted checkpoint contradicts what a successor says of the log that was closed
//                (succession.h)
//   truncated    a trusted checkpoint covers more entries than there are, or is of a successor that
//                has not begun here: a rollback, or a copy that is older. From where they can be
//                missing: of a log that differs, from where the logs part
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

#include "audit/entries/entry.h"
#include "audit/entries/log_reader.h"
#include "audit/entries/succession.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"

namespace coffer::audit {

struct VerifyOptions {
  // The one that is trusted; what others are worth: key_history.h. Its name: any that the log has.
  VerifierKey key;
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
  std::vector<std::string> older_notes;         // and of each key that did not sign it the largest
  // What is wrong, first first; empty means whole. At most 20 are kept.
  struct Finding {
    std::optional<std::uint64_t> seq;  // the first bad entry
    std::string check;
    std::string message;
    std::optional<std::size_t> checkpoint = {};  // which of the options' it is about
  };
  std::vector<Finding> findings;
  bool ok() const { return findings.empty(); }

  // What became of each of the options' checkpoints, in their order.
  struct Compared {
    enum class Result : std::uint8_t {
      kHolds,
      kLost,           // covers entries of a closed log that its successor says are lost
      kDiffers,        // signed for another log than this one, from some entry on
      kBeyond,         // covers more entries than there are
      kUnreached,      // an entry that it covers is missing
      kMalformed,      // no checkpoint
      kOtherLog,       // of another origin
      kUnsigned,       // by no key of this log, as far as it is known
      kWronglySigned,  // not what a key of this log signed
      kUntrusted,      // by a key that nothing trusted leads to, or that may not sign this size
    };
    Result result = Result::kMalformed;
    std::uint64_t size = 0;  // of what can be read
  };
  std::vector<Compared> compared;
  // Where signed checkpoints differ: the logs part at this entry or behind it, and before that one.
  // What is in between is told by no checkpoint.
  struct Parting {
    std::uint64_t from = 0, before = 0;
  };
  std::optional<Parting> parting;

  std::string name;                     // of the log, as of its last entry
  std::vector<Succession> successions;  // where it took the place of one whose end is lost
};

// Checks every entry's canonical form, sequence, origin, monotonic time and `prev`; recomputes the
// tree and compares stored tiles; checks that each checkpoint is signed by a key that may sign it
// and is the root of the log at its size. An Error is returned only when the source cannot be read.
Result<VerifyReport> VerifyLog(LogSource& source, const VerifyOptions& options);

}  // namespace coffer::audit
