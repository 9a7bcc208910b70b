#include "audit/tlog/tile.h"
#include "tests/fuzz/fuzz.h"

using coffer::fuzz::Require;

COFFER_FUZZ(FuzzTilePath)(const std::uint8_t* data, std::size_t size) {
  namespace audit = coffer::audit;
  const std::string_view text = coffer::fuzz::Text(data, size);
  const auto path = audit::ParseTilePath(text);
  if (!path) return 0;
  Require(audit::FormatTilePath(*path) == text, "a path has one spelling");
  Require(path->level <= 63 && path->width >= 1 && path->width <= 256, "a path is in range");
  Require(!path->entries || path->level == 0, "entries have no level");
  Require(text.find_first_not_of("0123456789entrisxp./") == text.npos, "a path is plain");
  Require(audit::TileWidth(UINT64_MAX, path->level, path->n) <= 256, "a tile has a width");
  return 0;
}
