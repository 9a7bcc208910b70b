// Tiles and entry bundles, as C2SP tlog-tiles (https://c2sp.org/tlog-tiles) serves them:
//
//   tile/<L>/<N>[.p/<W>]        up to 256 hashes of 32 bytes: level 0 of leaves, level l the roots
//                               of full tiles of level l-1
//   tile/entries/<N>[.p/<W>]    as many times: u16 big-endian length ‖ entry
//
// <N> in groups of three digits, all but the last behind an x: 1234067 is x001/x234/067. <W> stands
// with partial tiles only, 1 to 255.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/tlog/log_source.h"
#include "audit/tlog/merkle.h"
#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::audit {

struct TilePath {
  bool entries = false;
  unsigned level = 0;  // 0 to 63; 0 for entries
  std::uint64_t n = 0;
  unsigned width = kTileWidth;  // 1 to 256
  bool operator==(const TilePath&) const = default;
};

// The path behind "tile/". Parsing accepts only what formatting writes. Errors: kInvalidArgument
// "tile_path_malformed".
std::string FormatTilePath(const TilePath& path);
Result<TilePath> ParseTilePath(std::string_view text);

// How many hashes tile n of a level has in a tree of `size`: 0 when there is none, 256 when full.
unsigned TileWidth(std::uint64_t size, unsigned level, std::uint64_t n);

// Errors: kCorrupted "bundle_malformed" for an entry longer than kMaxEntryBytes.
Status AppendBundleEntry(std::string& out, std::string_view entry);
// The `count` entries of a bundle, as views into it. Errors: kCorrupted "bundle_malformed".
Result<std::vector<std::string_view>> ParseBundle(std::string_view bytes, unsigned count);
// Errors: kCorrupted "tile_malformed" unless it is `width` hashes.
Result<std::vector<Hash>> ParseTile(crypto::ByteView bytes, unsigned width);

// The tile or bundle in the log of `size` entries, cut to the path's width: a tree that was smaller
// had no more. One read of a tile that is stored; else one of at most 255 entries (level 0), or at
// most 255 of the tiles below. Errors: kNotFound "no_such_tile" when the log has no such tile of
// that width; kCorrupted "log_gap", "tile_missing".
Result<crypto::Bytes> ReadTileAt(LogSource& source, const TilePath& path, std::uint64_t size);
Result<std::string> ReadBundleAt(LogSource& source, const TilePath& path, std::uint64_t size);

}  // namespace coffer::audit
