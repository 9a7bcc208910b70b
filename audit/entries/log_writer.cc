#include "audit/entries/log_writer.h"

#include <cstdlib>
#include <utility>

#include "audit/tlog/tile_levels.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

// A head whose parts disagree would sign a tree that no reader can rebuild: a programming error.
LogHead Checked(LogHead head) {
  if (head.frontier.size() != head.size) std::abort();
  std::uint64_t count = head.size;
  for (std::size_t level = 0; count > 0 || level < head.tile_levels.size(); ++level) {
    const auto held = level < head.tile_levels.size() ? head.tile_levels[level].size() : 0;
    if (held != count % kTileWidth) std::abort();
    count /= kTileWidth;
  }
  return head;
}

}  // namespace

LogWriter::LogWriter(std::string origin, LogHead head)
    : origin_(std::move(origin)), head_(Checked(std::move(head))) {}

void LogWriter::Reset(LogHead head) { head_ = Checked(std::move(head)); }

void LogWriter::Append(Entry& entry, Timestamp now, std::string& bytes,
                       std::vector<FullTile>& tiles) {
  // Time never goes back in the log: a reader may rely on its order, and the skew says what the
  // clock showed.
  const bool clock_went_back = head_.size > 0 && now < head_.last_ts;
  entry.seq = head_.size;
  entry.ts = clock_went_back ? head_.last_ts : now;
  entry.skew_ms = clock_went_back ? head_.last_ts.ms - now.ms : 0;
  entry.prev = head_.prev;
  entry.log = origin_;
  bytes.clear();
  AppendCanonical(entry, bytes);

  const Hash leaf = LeafHash(crypto::AsBytes(bytes));
  AddLeafToTiles(head_.frontier, leaf, head_.tile_levels, tiles);
  head_.frontier.Append(leaf);
  head_.prev = crypto::Sha256(crypto::AsBytes(bytes));
  head_.last_ts = entry.ts;
  ++head_.size;
}

}  // namespace coffer::audit
