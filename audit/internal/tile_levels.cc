#include "audit/internal/tile_levels.h"

namespace coffer::audit {

void AddLeafToTiles(std::uint64_t size, const Hash& leaf, std::vector<std::vector<Hash>>& levels,
                    std::vector<FullTile>& full) {
  Hash hash = leaf;
  std::uint64_t n = size;  // how many hashes the level had
  for (unsigned level = 0;; ++level) {
    if (levels.size() == level) levels.emplace_back().reserve(kTileWidth);
    std::vector<Hash>& hashes = levels[level];
    hashes.push_back(hash);
    n /= kTileWidth;
    if (hashes.size() < kTileWidth) return;

    FullTile tile{level, n, {}};
    tile.hashes.reserve(kTileWidth * sizeof(Hash));
    for (const Hash& each : hashes) tile.hashes.insert(tile.hashes.end(), each.begin(), each.end());
    full.push_back(std::move(tile));
    hash = PerfectRoot(hashes);
    hashes.clear();
  }
}

}  // namespace coffer::audit
