#include "api/cli/verify/tiles_log.h"

#include <algorithm>

#include "audit/entries/entry.h"

namespace coffer::cli {
namespace {

// Of a bundle, which is larger than any tile. What is a little too long is told apart from what has
// no end.
constexpr std::size_t kMaxFileBytes = audit::kTileWidth * (2 + audit::kMaxEntryBytes) + 1;
constexpr std::size_t kHashBytes = sizeof(audit::Hash);

std::string NameOf(const audit::TilePath& path) { return "tile/" + audit::FormatTilePath(path); }

}  // namespace

// A partial file may be gone once there is the full one, which begins with it.
Result<TilesLog::Fetched> TilesLog::Fetch(audit::TilePath path) {
  const std::string wanted = NameOf(path);
  for (;;) {
    auto file = fetch_(NameOf(path), kMaxFileBytes);
    if (!file) {
      failure_ = std::move(file).error();
      return Fail(Code::kUnavailable, "file_not_fetched");
    }
    if (*file) return Fetched{*std::move(*file), path.width};
    if (path.width == audit::kTileWidth) {
      return Fail(Code::kNotFound, path.entries ? "bundle_missing" : "tile_missing",
                  wanted + " is not there");
    }
    path.width = audit::kTileWidth;
  }
}

Status TilesLog::ReadEntries(std::uint64_t from, std::uint64_t to,
                             const std::function<Status(std::uint64_t, std::string_view)>& each) {
  while (from < to) {
    const std::uint64_t n = from / audit::kTileWidth;
    const audit::TilePath path{true, 0, n, audit::TileWidth(size_, 0, n)};
    COFFER_ASSIGN(const Fetched bundle, Fetch(path));
    const auto entries = audit::ParseBundle(bundle.bytes, bundle.width);
    if (!entries) {
      return Fail(entries.error().code, entries.error().reason,
                  NameOf(path) + ": " + entries.error().detail);
    }
    const std::uint64_t first = n * audit::kTileWidth;
    const std::uint64_t end = std::min(to, first + path.width);
    for (; from < end; ++from) {
      COFFER_TRY(each(from, (*entries)[static_cast<std::size_t>(from - first)]));
    }
    progress_(from, size_);
  }
  return {};
}

Result<crypto::Bytes> TilesLog::ReadTile(unsigned level, std::uint64_t n) {
  COFFER_ASSIGN(const Fetched tile, Fetch({false, level, n, audit::kTileWidth}));
  const auto bytes = crypto::AsBytes(tile.bytes);
  return crypto::Bytes(bytes.begin(), bytes.end());
}

Result<crypto::Bytes> TilesLog::ReadUnfinishedTile(const audit::TilePath& path) {
  COFFER_ASSIGN(const Fetched tile, Fetch(path));
  auto bytes = crypto::AsBytes(tile.bytes);
  if (tile.width != path.width && bytes.size() == tile.width * kHashBytes) {
    bytes = bytes.first(path.width * kHashBytes);
  }
  return crypto::Bytes(bytes.begin(), bytes.end());
}

}  // namespace coffer::cli
