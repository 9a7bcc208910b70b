#include "audit/tlog/tile.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/audit/entries/test_log.h"
#include "tests/audit/tlog/naive_tree.h"

namespace coffer::audit {
namespace {

constexpr std::uint64_t kMax = UINT64_MAX;

bool TileRefused(std::string_view text) {
  const auto path = ParseTilePath(text);
  return !path && path.error().code == Code::kInvalidArgument &&
         path.error().reason == "tile_path_malformed";
}

// A log whose entries are no JSON, as the published one's; full tiles stored.
MemoryLog Stored(std::size_t size) {
  MemoryLog log;
  LogHead head;
  std::vector<FullTile> full;
  for (std::size_t i = 0; i < size; ++i) {
    log.rows.emplace_back("entry " + std::to_string(i));
  }
  const auto leaves = NaiveTree::OfSize(size).leaves();
  std::vector<Hash> level = leaves;
  for (unsigned l = 0; level.size() >= kTileWidth; ++l) {
    std::vector<Hash> above;
    for (std::size_t n = 0; n + 1 <= level.size() / kTileWidth; ++n) {
      const std::span tile = std::span(level).subspan(n * kTileWidth, kTileWidth);
      crypto::Bytes bytes;
      for (const Hash& hash : tile) bytes.insert(bytes.end(), hash.begin(), hash.end());
      log.tiles[{l, n}] = bytes;
      above.push_back(PerfectRoot(tile));
    }
    level = above;
  }
  return log;
}

TEST_CASE("tile paths are written and read alike") {
  const std::pair<TilePath, std::string_view> paths[] = {
      {{false, 0, 0, 256}, "0/000"},
      {{false, 0, 1, 44}, "0/001.p/44"},
      {{false, 1, 0, 1}, "1/000.p/1"},
      {{false, 0, 67, 255}, "0/067.p/255"},
      {{false, 0, 999, 256}, "0/999"},
      {{false, 0, 1000, 256}, "0/x001/000"},
      {{false, 2, 1'234'067, 256}, "2/x001/x234/067"},
      {{false, 63, 1'000'000, 9}, "63/x001/x000/000.p/9"},
      {{true, 0, 0, 256}, "entries/000"},
      {{true, 0, 1067, 44}, "entries/x001/067.p/44"},
      {{false, 0, kMax, 256}, "0/x018/x446/x744/x073/x709/x551/615"},
  };
  for (const auto& [path, text] : paths) {
    CAPTURE(text);
    CHECK(FormatTilePath(path) == text);
    const auto parsed = ParseTilePath(text);
    REQUIRE(parsed);
    CHECK(*parsed == path);
  }
}

TEST_CASE("a tile has one path, and hostile ones are refused") {
  for (const std::string_view text : {
           "",
           "/",
           "0",
           "0/",
           "entries",
           "entries/",
           "/000",
           "0//000",
           "000",
           "x000",
           "00/000",
           "01/000",
           "-1/000",
           "+1/000",
           "64/000",
           "100/000",
           "0x1/000",
           " 0/000",
           "18446744073709551616/000",
           "a/000",
           "Entries/000",
           "entries/0/000",
           "entries0/000",
           "0/0",
           "0/00",
           "0/0000",
           "0/1",
           "0/x00",
           "0/x000",
           "0/x001",
           "0/x001/",
           "0/x001/67",
           "0/x000/067",
           "0/x000/x001/000",
           "0/001/067",
           "0/x001/x067",
           "0/x001067",
           "0/X001/067",
           "0/x001//067",
           "0/00a",
           "0/-01",
           "0/+01",
           "0/ 01",
           "0/x0\u0661/000",
           "0/000/",
           "0/000 ",
           "0/000\n",
           "0/000?",
           "0/000#",
           "0/000;v=1",
           "0/000.",
           "0/000.p",
           "0/000.p/",
           "0/000.p/0",
           "0/000.p/00",
           "0/000.p/01",
           "0/000.p/044",
           "0/000.p/256",
           "0/000.p/257",
           "0/000.p/1000",
           "0/000.p/-1",
           "0/000.p/+1",
           "0/000.p/1/",
           "0/000.p/1.p/1",
           "0/000.P/1",
           "0/000.p1",
           "0/000p/1",
           "0/.p/1",
           "0/000.p/18446744073709551617",
           "..",
           "../000",
           "0/../000",
           "0/..",
           "0/./000",
           "0/%30%30%30",
           "%30/000",
           "0%2f000",
           "0/000%00",
           "0/000.p%2f1",
           "0\\000",
           "0/000\\",
           "0/x018/x446/x744/x073/x709/x551/616",  // 2^64
           "0/x999/x999/x999/x999/x999/x999/999",
           "0/x001/x000/x000/x000/x000/x000/x000/000",
       }) {
    CAPTURE(text);
    CHECK(TileRefused(text));
  }
  using std::string_view_literals::operator""sv;
  CHECK(TileRefused("0/000\0"sv));
  CHECK(TileRefused("0\0/000"sv));
  CHECK(TileRefused(std::string(1 << 20, 'x')));
  CHECK(TileRefused("0/" + std::string(1 << 20, '0')));
}

TEST_CASE("a tile's width follows from the tree's size") {
  // The specification's example.
  CHECK(TileWidth(70'000, 0, 272) == 256);
  CHECK(TileWidth(70'000, 0, 273) == 112);
  CHECK(TileWidth(70'000, 0, 274) == 0);
  CHECK(TileWidth(70'000, 1, 0) == 256);
  CHECK(TileWidth(70'000, 1, 1) == 17);
  CHECK(TileWidth(70'000, 1, 2) == 0);
  CHECK(TileWidth(70'000, 2, 0) == 1);
  CHECK(TileWidth(70'000, 3, 0) == 0);
  CHECK(TileWidth(256, 0, 0) == 256);
  CHECK(TileWidth(256, 0, 1) == 0);
  CHECK(TileWidth(256, 1, 0) == 1);
  CHECK(TileWidth(0, 0, 0) == 0);
  CHECK(TileWidth(1, 0, 0) == 1);
  CHECK(TileWidth(255, 1, 0) == 0);
  CHECK(TileWidth(kMax, 0, kMax / 256) == 255);
  CHECK(TileWidth(kMax, 7, 0) == 255);
  for (unsigned level = 8; level <= 64; ++level) CHECK(TileWidth(kMax, level, 0) == 0);
  CHECK(TileWidth(kMax, 0, kMax) == 0);
}

TEST_CASE("bundles hold entries of every length up to the limit") {
  const std::string long_entry(kMaxEntryBytes, 'x');
  const std::string_view entries[] = {"", "a", std::string_view("\0\n", 2), long_entry};
  std::string bundle;
  for (const auto entry : entries) REQUIRE(AppendBundleEntry(bundle, entry));
  using std::string_view_literals::operator""sv;
  CHECK(
      bundle.starts_with("\0\0\0\x01"sv
                         "a\0\x02\0\n\x20\0x"sv));
  const auto parsed = ParseBundle(bundle, 4);
  REQUIRE(parsed);
  CHECK(std::ranges::equal(*parsed, entries));
  const std::string before = bundle;
  CHECK(AppendBundleEntry(bundle, long_entry + "x").error().reason == "bundle_malformed");
  CHECK(bundle == before);
  CHECK(ParseBundle("", 0));
}

TEST_CASE("bundles of another length or count are refused") {
  using std::string_view_literals::operator""sv;
  const auto refused = [](std::string_view bytes, unsigned count) {
    const auto parsed = ParseBundle(bytes, count);
    return !parsed && parsed.error().code == Code::kCorrupted &&
           parsed.error().reason == "bundle_malformed";
  };
  CHECK_FALSE(
      refused("\0\x01"
              "a\0\0"sv,
              2));
  CHECK(
      refused("\0\x01"
              "a\0\0"sv,
              1));
  CHECK(
      refused("\0\x01"
              "a\0\0"sv,
              3));
  CHECK(
      refused("\0\x01"
              "a\0"sv,
              2));
  CHECK(
      refused("\0\x01"
              "a\0"sv,
              1));
  CHECK(
      refused("\0\x02"
              "a"sv,
              1));
  CHECK(
      refused("\x01\0"
              "a"sv,
              1));
  CHECK(refused("", 1));
  CHECK(refused("\x20\x01"sv.substr(0).data() + std::string(8193, 'x'), 1));
  CHECK(refused("\xff\xff" + std::string(65535, 'x'), 1));
}

TEST_CASE("what is wrong with a bundle is told, and the first thing ends its reading") {
  using std::string_view_literals::operator""sv;
  const auto detail = [](std::string_view bytes, unsigned count) {
    const auto parsed = ParseBundle(bytes, count);
    return parsed ? std::string() : parsed.error().detail;
  };
  CHECK(detail("\0\0\0\0"sv, 2).empty());
  CHECK(detail("\0\0\0\0"sv, 1) == "more entries than expected");
  CHECK(detail("\0\0\xff"sv, 1) == "more entries than expected");
  CHECK(detail("\0\0\0\0"sv, 3) == "fewer entries than expected");
  CHECK(detail("\0\0\0"sv, 2) == "half a length");
  CHECK(detail("\0\x02z"sv, 1) == "half an entry");
  CHECK(detail("\xff\xffz"sv, 1) == "an entry is too long");
}

TEST_CASE("tiles are as many hashes as expected") {
  const crypto::Bytes bytes(64, 7);
  const auto hashes = ParseTile(bytes, 2);
  REQUIRE(hashes);
  CHECK(hashes->size() == 2);
  CHECK(hashes->at(1).front() == 7);
  for (const unsigned width : {0U, 1U, 3U, 257U}) {
    CHECK(ParseTile(bytes, width).error().reason == "tile_malformed");
  }
  CHECK_FALSE(ParseTile(crypto::Bytes(63), 2));
  CHECK_FALSE(ParseTile({}, 0));
  CHECK_FALSE(ParseTile(crypto::Bytes(257 * 32), 257));
}

TEST_CASE("every tile of a log is read as the tree has it, whatever its size was") {
  MemoryLog log = Stored(65'536 + 300);
  auto tree = NaiveTree::OfSize(65'536 + 300);
  const HashReader hash_at = tree.Reader();
  for (const std::uint64_t size :
       {1ULL, 255ULL, 256ULL, 257ULL, 600ULL, 65'535ULL, 65'536ULL, 65'836ULL}) {
    for (unsigned level = 0; level < 3; ++level) {
      const std::uint64_t last = (size >> (8 * level)) / 256;
      for (const std::uint64_t n : {last > 0 ? last - 1 : 0, last}) {
        const unsigned width = TileWidth(size, level, n);
        CAPTURE(size, level, n, width);
        for (const unsigned asked : {1U, width / 2, width}) {
          if (asked == 0) continue;
          if (width == 0) {
            CHECK(ReadTileAt(log, {false, level, n, asked}, size).error().reason == "no_such_tile");
            continue;
          }
          const auto bytes = ReadTileAt(log, {false, level, n, asked}, size);
          REQUIRE(bytes);
          const auto hashes = ParseTile(*bytes, asked);
          REQUIRE(hashes);
          CHECK(hashes->back() == *hash_at(8 * level, n * 256 + asked - 1));
          CHECK(hashes->front() == *hash_at(8 * level, n * 256));
        }
        if (width < 256) {
          const auto beyond = ReadTileAt(log, {false, level, n, width + 1}, size);
          CHECK(beyond.error().code == Code::kNotFound);
        }
      }
    }
  }
  CHECK(ReadTileAt(log, {false, 0, 0, 0}, 10).error().reason == "no_such_tile");
}

TEST_CASE("a stored tile is one read, an unfinished one few") {
  MemoryLog log = Stored(65'536 + 3 * 256 + 5);
  const auto reads = [&](const TilePath& path) {
    log.tile_reads = 0;
    REQUIRE(ReadTileAt(log, path, log.rows.size()));
    return log.tile_reads;
  };
  CHECK(reads({false, 0, 4, 256}) == 1);
  CHECK(reads({false, 0, 4, 17}) == 1);
  CHECK(reads({false, 1, 0, 256}) == 1);
  CHECK(reads({false, 0, 259, 5}) == 0);
  CHECK(reads({false, 1, 1, 3}) == 3);
  CHECK(reads({false, 2, 0, 1}) == 1);
}

TEST_CASE("a tile or bundle over a hole is an error, not a shorter one") {
  MemoryLog log = Stored(600);
  log.rows[520].reset();
  log.rows[599].reset();
  CHECK(ReadTileAt(log, {false, 0, 2, 88}, 600).error().detail == "entry 520 is missing");
  CHECK(ReadBundleAt(log, {true, 0, 2, 88}, 600).error().reason == "log_gap");
  CHECK(ReadBundleAt(log, {true, 0, 2, 8}, 600));
  log.rows[520] = "x";
  CHECK(ReadBundleAt(log, {true, 0, 2, 88}, 600).error().detail == "entry 599 is missing");
  log.tiles.at({0, 1}).pop_back();
  CHECK(ReadTileAt(log, {false, 0, 1, 256}, 600).error().detail == "tile 0/1 has a wrong length");
  log.tiles.erase({0, 1});
  CHECK(ReadTileAt(log, {false, 0, 1, 256}, 600).error().detail == "tile 0/1 was not stored");
  CHECK(ReadTileAt(log, {false, 1, 0, 2}, 600).error().code == Code::kCorrupted);
  log.broken = true;
  CHECK(ReadBundleAt(log, {true, 0, 0, 256}, 600).error().reason == "disk_gone");
}

TEST_CASE("bundles hold the entries of their level-0 tile") {
  MemoryLog log = Stored(600);
  for (const TilePath& path :
       {TilePath{true, 0, 0, 256}, TilePath{true, 0, 2, 88}, TilePath{true, 0, 1, 3}}) {
    const auto bundle = ReadBundleAt(log, path, 600);
    REQUIRE(bundle);
    const auto entries = ParseBundle(*bundle, path.width);
    REQUIRE(entries);
    const auto tile = ReadTileAt(log, {false, 0, path.n, path.width}, 600);
    const auto hashes = ParseTile(*tile, path.width);
    for (std::size_t i = 0; i < entries->size(); ++i) {
      REQUIRE(LeafHash(crypto::AsBytes(entries->at(i))) == hashes->at(i));
    }
  }
  CHECK(ReadBundleAt(log, {true, 0, 2, 89}, 600).error().reason == "no_such_tile");
  CHECK(ReadBundleAt(log, {true, 0, 3, 1}, 600).error().reason == "no_such_tile");
  CHECK(ReadBundleAt(log, {false, 0, 0, 256}, 600).error().reason == "no_such_tile");
  CHECK(ReadBundleAt(log, {true, 1, 0, 1}, 600).error().reason == "no_such_tile");
}

}  // namespace
}  // namespace coffer::audit
