#include "audit/entries/log_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr unsigned kTileBits = 8;
constexpr std::size_t kTileBytes = kTileWidth * sizeof(Hash);
constexpr std::size_t kCachedTiles = 4;

std::string TileName(unsigned level, std::uint64_t n) {
  return "tile " + std::to_string(level) + "/" + std::to_string(n);
}

std::unexpected<Error> Gap(std::uint64_t seq) {
  return Fail(Code::kCorrupted, "log_gap", "entry " + std::to_string(seq) + " is missing");
}

// Reads the entries [from, to) and refuses holes.
Status ReadWithoutGap(LogSource& source, std::uint64_t from, std::uint64_t to,
                      const std::function<void(std::string_view)>& each) {
  std::uint64_t next = from;
  COFFER_TRY(source.ReadEntries(from, to, [&](std::uint64_t seq, std::string_view bytes) -> Status {
    if (seq != next) return Gap(next);
    ++next;
    each(bytes);
    return {};
  }));
  if (next != to) return Gap(next);
  return {};
}

// The hashes of a stored log: full tiles are read, unfinished ones computed once.
class StoredTree {
 public:
  StoredTree(LogSource& source, std::uint64_t size) : source_(source), size_(size) {}
  StoredTree(LogSource& source, const LogHead& head) : StoredTree(source, head.size) {
    for (std::size_t level = 0; level < head.tile_levels.size(); ++level) {
      unfinished_[level] = head.tile_levels[level];
    }
  }

  // Number of whole subtrees of 256^level leaves.
  std::uint64_t CountAt(unsigned level) const { return size_ >> (kTileBits * level); }

  Result<Hash> Read(unsigned level, std::uint64_t index) {
    if (level >= 64 || index >= (size_ >> level)) {
      return Fail(Code::kInvalidArgument, "hash_beyond_log");
    }
    // The hash is the root of 2^(level mod 8) neighbours that lie in one tile.
    const unsigned tile_level = level / kTileBits;
    const std::uint64_t first = index << (level % kTileBits);
    const std::uint64_t n = first / kTileWidth;
    COFFER_ASSIGN(const std::span<const Hash> hashes, n < CountAt(tile_level) / kTileWidth
                                                          ? FullTileAt(tile_level, n)
                                                          : Unfinished(tile_level));
    return PerfectRoot(hashes.subspan(first % kTileWidth, std::size_t{1} << (level % kTileBits)));
  }

  // The hashes of the level's unfinished tile; none when the last tile is full.
  Result<std::span<const Hash>> Unfinished(unsigned level) {
    auto& known = unfinished_[level];
    if (!known) {
      COFFER_ASSIGN(known, level == 0 ? TailLeaves() : RootsOfTilesBelow(level));
    }
    return std::span<const Hash>(*known);
  }

 private:
  struct CachedTile {
    unsigned level = 0;
    std::uint64_t n = 0;
    std::vector<Hash> hashes;
  };

  // Valid until the next tile is read.
  Result<std::span<const Hash>> FullTileAt(unsigned level, std::uint64_t n) {
    for (const CachedTile& tile : cache_) {
      if (!tile.hashes.empty() && tile.level == level && tile.n == n) {
        return std::span<const Hash>(tile.hashes);
      }
    }
    const auto bytes = source_.ReadTile(level, n);
    if (!bytes && bytes.error().code == Code::kNotFound) {
      return Fail(Code::kCorrupted, "tile_missing", TileName(level, n) + " was not stored");
    }
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->size() != kTileBytes) {
      return Fail(Code::kCorrupted, "tile_missing", TileName(level, n) + " has a wrong length");
    }
    CachedTile& slot = cache_[next_slot_++ % kCachedTiles];
    slot = {level, n, std::vector<Hash>(kTileWidth)};
    for (std::size_t i = 0; i < kTileWidth; ++i) {
      std::copy_n(bytes->data() + i * sizeof(Hash), sizeof(Hash), slot.hashes[i].begin());
    }
    return std::span<const Hash>(slot.hashes);
  }

  Result<std::vector<Hash>> TailLeaves() {
    std::vector<Hash> leaves;
    COFFER_TRY(ReadWithoutGap(
        source_, size_ - size_ % kTileWidth, size_,
        [&](std::string_view bytes) { leaves.push_back(LeafHash(crypto::AsBytes(bytes))); }));
    return leaves;
  }

  Result<std::vector<Hash>> RootsOfTilesBelow(unsigned level) {
    std::vector<Hash> roots;
    const std::uint64_t count = CountAt(level);
    for (std::uint64_t n = count - count % kTileWidth; n < count; ++n) {
      COFFER_ASSIGN(const std::span<const Hash> below, FullTileAt(level - 1, n));
      roots.push_back(PerfectRoot(below));
    }
    return roots;
  }

  LogSource& source_;
  std::uint64_t size_;
  std::array<std::optional<std::vector<Hash>>, 64 / kTileBits> unfinished_;
  std::array<CachedTile, kCachedTiles> cache_;
  std::size_t next_slot_ = 0;
};

HashReader ReaderOf(std::shared_ptr<StoredTree> tree) {
  return [tree = std::move(tree)](unsigned level, std::uint64_t index) {
    return tree->Read(level, index);
  };
}

// The frontier's roots that lie in one tile level: its unfinished hashes split into perfect trees,
// largest first.
void AppendRoots(std::span<const Hash> hashes, std::vector<Hash>& roots) {
  while (!hashes.empty()) {
    const auto width = std::bit_floor(hashes.size());
    roots.push_back(PerfectRoot(hashes.first(width)));
    hashes = hashes.subspan(width);
  }
}

}  // namespace

Result<LogHead> LoadHead(LogSource& source) {
  LogHead head;
  COFFER_ASSIGN(head.size, source.Size());
  if (head.size == 0) return head;

  std::string last;
  COFFER_TRY(ReadWithoutGap(source, head.size - 1, head.size,
                            [&](std::string_view bytes) { last = bytes; }));
  COFFER_ASSIGN(const Entry entry, ParseEntry(last));
  if (entry.seq != head.size - 1) {
    return Fail(Code::kCorrupted, "log_gap",
                "entry " + std::to_string(head.size - 1) + " says it is entry " +
                    std::to_string(entry.seq));
  }
  head.last_ts = entry.ts;
  head.prev = crypto::Sha256(crypto::AsBytes(last));

  StoredTree tree(source, head.size);
  for (unsigned level = 0; level < 64 / kTileBits && tree.CountAt(level) > 0; ++level) {
    COFFER_ASSIGN(const std::span<const Hash> hashes, tree.Unfinished(level));
    head.tile_levels.emplace_back().reserve(kTileWidth);
    head.tile_levels.back().assign(hashes.begin(), hashes.end());
  }
  std::vector<Hash> roots;
  for (auto level = head.tile_levels.rbegin(); level != head.tile_levels.rend(); ++level) {
    AppendRoots(*level, roots);
  }
  COFFER_ASSIGN(head.frontier, Frontier::FromRoots(head.size, std::move(roots)));
  return head;
}

HashReader MakeHashReader(LogSource& source, std::uint64_t size) {
  return ReaderOf(std::make_shared<StoredTree>(source, size));
}

HashReader MakeHashReader(LogSource& source, const LogHead& head) {
  return ReaderOf(std::make_shared<StoredTree>(source, head));
}

}  // namespace coffer::audit
