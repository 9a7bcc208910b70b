// The first byte is how many are expected, less one; tiles and bundles are read alike.
#include "audit/tlog/tile.h"
#include "tests/fuzz/fuzz.h"

using coffer::fuzz::Require;

COFFER_FUZZ(FuzzBundle)(const std::uint8_t* data, std::size_t size) {
  namespace audit = coffer::audit;
  if (size == 0) return 0;
  const unsigned count = data[0] + 1U;
  const std::string_view bytes = coffer::fuzz::Text(data + 1, size - 1);
  if (const auto entries = audit::ParseBundle(bytes, count)) {
    Require(entries->size() == count, "a bundle has as many entries as expected");
    std::string again;
    for (const std::string_view entry : *entries) {
      Require(audit::AppendBundleEntry(again, entry).has_value(), "what was read can be written");
    }
    Require(again == bytes, "a bundle has one spelling");
  }
  if (const auto hashes = audit::ParseTile(coffer::crypto::AsBytes(bytes), count)) {
    Require(hashes->size() == count && bytes.size() == count * 32, "a tile is its hashes");
  }
  return 0;
}
