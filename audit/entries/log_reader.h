// What is built on the few reads that a log is rebuilt and verified with.
#pragma once

#include <cstdint>

#include "audit/entries/log_writer.h"
#include "audit/tlog/log_source.h"
#include "audit/tlog/merkle.h"
#include "crypto/result.h"

namespace coffer::audit {

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
