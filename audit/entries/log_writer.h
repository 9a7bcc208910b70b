// The growing end of the log: fills in sequence, time, chain and tree of each entry. Holds no
// storage; the caller writes what it returns in the same transaction as the work it describes and
// restores a saved state when that transaction fails.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/entries/entry.h"
#include "audit/tlog/merkle.h"
#include "audit/tlog/tile_levels.h"
#include "crypto/result.h"

namespace coffer::audit {

// Where the log ends. `prev` is the SHA-256 of the last entry's bytes (zero for an empty log).
struct LogHead {
  std::uint64_t size = 0;
  Timestamp last_ts;
  Hash prev{};
  Frontier frontier;
  // Leaf hashes of the unfinished level-0 tile (size mod 256), and for each higher tile level the
  // hashes of its unfinished tile: tile_levels[l] are hashes of full subtrees of 256^l leaves.
  std::vector<std::vector<Hash>> tile_levels;
};

class LogWriter {
 public:
  LogWriter(std::string origin, LogHead head);

  const LogHead& head() const { return head_; }
  const std::string& origin() const { return origin_; }

  // Assigns seq, ts (`now`, or the previous entry's time with skew_ms when the clock went back),
  // prev and log; appends the canonical bytes to `bytes` (cleared first); moves the head. Full
  // tiles are appended to `tiles`. Hot: called once per request on the engine thread.
  void Append(Entry& entry, Timestamp now, std::string& bytes, std::vector<FullTile>& tiles);

  // For a failed transaction: `head` is what LoadHead (log_reader.h) reads back from storage, so
  // that no copy of the head has to be kept on the hot path. Aborts, as the constructor does, when
  // the head's parts disagree.
  void Reset(LogHead head);

 private:
  std::string origin_;
  LogHead head_;
};

}  // namespace coffer::audit
