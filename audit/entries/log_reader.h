// The few reads that rebuilding and verifying a log need, and what is built on them.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "audit/entries/log_writer.h"
#include "audit/tlog/merkle.h"
#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::audit {

// Implemented by the vault's log store and by files of exported entries.
class LogSource {
 public:
  virtual ~LogSource() = default;
  virtual Result<std::uint64_t> Size() = 0;  // highest sequence number + 1
  // Calls `each(seq, bytes)` for [from, to) in order; stops at its first error. kNotFound: no more.
  virtual Status ReadEntries(
      std::uint64_t from, std::uint64_t to,
      const std::function<Status(std::uint64_t, std::string_view)>& each) = 0;
  // A full tile's 256*32 bytes; kNotFound when it was never stored.
  virtual Result<crypto::Bytes> ReadTile(unsigned level, std::uint64_t n) = 0;
};

// The head of a stored log, from its full tiles and at most 255 entries past the last one. Errors:
// kCorrupted "log_gap" (an entry missing, named in `detail`), "tile_missing".
Result<LogHead> LoadHead(LogSource& source);

// A HashReader over stored full tiles, and over the leaves of the entries past the last full tile.
// Costs O(log n) tile reads per proof, and once per reader up to 255 for each unfinished tile above
// level 0. `source` must outlive it.
HashReader MakeHashReader(LogSource& source, std::uint64_t size);
// Same for the log that ends at `head`, whose unfinished tiles need not be computed again.
HashReader MakeHashReader(LogSource& source, const LogHead& head);

}  // namespace coffer::audit
