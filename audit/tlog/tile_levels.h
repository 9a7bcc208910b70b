// The unfinished tiles at the log's end.
#pragma once

#include <cstdint>
#include <vector>

#include "audit/tlog/merkle.h"
#include "crypto/bytes.h"

namespace coffer::audit {

// A tile that became full: 256 hashes of `level` (hashes of subtrees of 256^level leaves), number
// n.
struct FullTile {
  unsigned level = 0;
  std::uint64_t n = 0;
  crypto::Bytes hashes;  // 256 * 32
};

// Adds a leaf's hash to the unfinished tiles of LogHead::tile_levels. A tile of 256 hashes is moved
// to `full`, and its root is the next hash of the level above. `before` is the tree without the
// leaf: it knows the subtrees that make up a tile's root, which then costs 8 node hashes and not
// 255.
void AddLeafToTiles(const Frontier& before, const Hash& leaf,
                    std::vector<std::vector<Hash>>& levels, std::vector<FullTile>& full);

}  // namespace coffer::audit
