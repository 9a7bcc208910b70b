#include "audit/tlog/tile_levels.h"

namespace coffer::audit {

namespace {

constexpr int kTileHeight = 8;

FullTile MakeTile(unsigned level, std::uint64_t n, const std::vector<Hash>& hashes) {
  FullTile tile{level, n, {}};
  tile.hashes.reserve(kTileWidth * sizeof(Hash));
  for (const Hash& hash : hashes) tile.hashes.insert(tile.hashes.end(), hash.begin(), hash.end());
  return tile;
}

}  // namespace

void AddLeafToTiles(const Frontier& before, const Hash& leaf,
                    std::vector<std::vector<Hash>>& levels, std::vector<FullTile>& full) {
  Hash hash = leaf;
  auto left = before.roots().rbegin();
  std::uint64_t n = before.size();
  for (unsigned level = 0;; ++level) {
    if (levels.size() == level) levels.emplace_back().reserve(kTileWidth);
    std::vector<Hash>& hashes = levels[level];
    hashes.push_back(hash);
    n /= kTileWidth;
    if (hashes.size() < kTileWidth) return;

    full.push_back(MakeTile(level, n, hashes));
    hashes.clear();
    // The 255 hashes before the last one are full subtrees of 128, 64 … 1 of them.
    for (int i = 0; i < kTileHeight; ++i) hash = NodeHash(*left++, hash);
  }
}

}  // namespace coffer::audit
