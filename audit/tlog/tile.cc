#include "audit/tlog/tile.h"

#include <algorithm>
#include <optional>

#include "audit/text/decimal.h"

namespace coffer::audit {
namespace {

constexpr unsigned kBitsPerLevel = 8;
constexpr unsigned kMaxLevel = 63;
constexpr std::uint64_t kGroup = 1000;
constexpr std::string_view kEntries = "entries";
constexpr std::string_view kPartial = ".p/";
constexpr std::size_t kMaxPathBytes = 64;

std::unexpected<Error> MalformedPath() {
  return Fail(Code::kInvalidArgument, "tile_path_malformed");
}

std::unexpected<Error> MalformedBundle(std::string detail) {
  return Fail(Code::kCorrupted, "bundle_malformed", std::move(detail));
}

std::string FormatNumber(std::uint64_t n) {
  std::string digits = std::to_string(n);
  digits.insert(0, (3 - digits.size() % 3) % 3, '0');
  for (std::size_t last = digits.size() - 3; last > 0; last -= 3) {
    digits.insert(last, 1, '/');
    digits.insert(last - 3, 1, 'x');
  }
  return digits;
}

// "x001/x234/067" or nothing. That the number needs its groups, and fits 64 bits, is left to the
// caller's comparison.
std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t n = 0;
  while (true) {
    const bool last = !text.starts_with('x');
    if (!last) text.remove_prefix(1);
    const std::string_view digits = text.substr(0, 3);
    if (digits.size() != 3 || digits.find_first_not_of("0123456789") != digits.npos) return {};
    text.remove_prefix(3);
    std::uint64_t group = 0;
    for (const char digit : digits) group = group * 10 + static_cast<std::uint64_t>(digit - '0');
    n = n * kGroup + group;
    if (last) return text.empty() ? std::optional(n) : std::nullopt;
    if (!text.starts_with('/')) return {};
    text.remove_prefix(1);
  }
}

std::uint64_t CountAt(std::uint64_t size, unsigned level) {
  return level < 64 / kBitsPerLevel ? size >> (kBitsPerLevel * level) : 0;
}

Status CheckExists(const TilePath& path, std::uint64_t size) {
  const unsigned width = TileWidth(size, path.level, path.n);
  if (path.width == 0 || path.width > width) return Fail(Code::kNotFound, "no_such_tile");
  return {};
}

std::unexpected<Error> BadTile(unsigned level, std::uint64_t n, std::string_view what) {
  return Fail(Code::kCorrupted, "tile_missing",
              "tile " + std::to_string(level) + "/" + std::to_string(n) + " " + std::string(what));
}

Result<crypto::Bytes> ReadStored(LogSource& source, unsigned level, std::uint64_t n) {
  auto bytes = source.ReadTile(level, n);
  if (!bytes && bytes.error().code == Code::kNotFound) return BadTile(level, n, "was not stored");
  if (bytes && bytes->size() != kTileWidth * sizeof(Hash)) {
    return BadTile(level, n, "has a wrong length");
  }
  return bytes;
}

Status ReadEntriesOf(LogSource& source, const TilePath& path,
                     const std::function<Status(std::string_view)>& each) {
  std::uint64_t next = path.n * kTileWidth;
  const std::uint64_t end = next + path.width;
  const auto gap = [&] {
    return Fail(Code::kCorrupted, "log_gap", "entry " + std::to_string(next) + " is missing");
  };
  COFFER_TRY(
      source.ReadEntries(next, end, [&](std::uint64_t seq, std::string_view bytes) -> Status {
        if (seq != next) return gap();
        ++next;
        return each(bytes);
      }));
  if (next != end) return gap();
  return {};
}

void AppendHash(const Hash& hash, crypto::Bytes& out) {
  out.insert(out.end(), hash.begin(), hash.end());
}

}  // namespace

std::string FormatTilePath(const TilePath& path) {
  std::string text = path.entries ? std::string(kEntries) : std::to_string(path.level);
  text.append("/").append(FormatNumber(path.n));
  if (path.width != kTileWidth) text.append(kPartial).append(std::to_string(path.width));
  return text;
}

Result<TilePath> ParseTilePath(std::string_view text) {
  if (text.size() > kMaxPathBytes) return MalformedPath();
  const std::string_view whole = text;
  TilePath path;
  const auto slash = text.find('/');
  if (slash == text.npos) return MalformedPath();
  path.entries = text.substr(0, slash) == kEntries;
  if (!path.entries) {
    const auto level = ParseDecimal(text.substr(0, slash));
    if (!level || *level > kMaxLevel) return MalformedPath();
    path.level = static_cast<unsigned>(*level);
  }
  text.remove_prefix(slash + 1);
  if (const auto partial = text.find(kPartial); partial != text.npos) {
    const auto width = ParseDecimal(text.substr(partial + kPartial.size()));
    if (!width || *width == 0 || *width >= kTileWidth) return MalformedPath();
    path.width = static_cast<unsigned>(*width);
    text = text.substr(0, partial);
  }
  const auto n = ParseNumber(text);
  if (!n) return MalformedPath();
  path.n = *n;
  // One tile has one path: a cache, or a rule on paths, must not see it under two.
  if (FormatTilePath(path) != whole) return MalformedPath();
  return path;
}

unsigned TileWidth(std::uint64_t size, unsigned level, std::uint64_t n) {
  const std::uint64_t count = CountAt(size, level);
  const std::uint64_t full = count / kTileWidth;
  if (n < full) return kTileWidth;
  return n == full ? static_cast<unsigned>(count % kTileWidth) : 0;
}

Status AppendBundleEntry(std::string& out, std::string_view entry) {
  if (entry.size() > kMaxEntryBytes) return MalformedBundle("an entry is too long");
  out.push_back(static_cast<char>(entry.size() >> 8));
  out.push_back(static_cast<char>(entry.size() & 0xFF));
  out.append(entry);
  return {};
}

Result<std::vector<std::string_view>> ParseBundle(std::string_view bytes, unsigned count) {
  std::vector<std::string_view> entries;
  entries.reserve(std::min<std::size_t>(count, kTileWidth));
  while (!bytes.empty()) {
    if (entries.size() == count) return MalformedBundle("more entries than expected");
    if (bytes.size() < 2) return MalformedBundle("half a length");
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0]) << 8 |
                                               static_cast<unsigned char>(bytes[1]));
    bytes.remove_prefix(2);
    if (size > kMaxEntryBytes) return MalformedBundle("an entry is too long");
    if (size > bytes.size()) return MalformedBundle("half an entry");
    entries.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  if (entries.size() != count) return MalformedBundle("fewer entries than expected");
  return entries;
}

Result<std::vector<Hash>> ParseTile(crypto::ByteView bytes, unsigned width) {
  if (width == 0 || width > kTileWidth || bytes.size() != width * sizeof(Hash)) {
    return Fail(Code::kCorrupted, "tile_malformed", "not as many hashes as expected");
  }
  std::vector<Hash> hashes(width);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    std::ranges::copy(bytes.subspan(i * sizeof(Hash), sizeof(Hash)), hashes[i].begin());
  }
  return hashes;
}

Result<crypto::Bytes> ReadTileAt(LogSource& source, const TilePath& path, std::uint64_t size) {
  COFFER_TRY(CheckExists(path, size));
  crypto::Bytes hashes;
  if (TileWidth(size, path.level, path.n) == kTileWidth) {
    COFFER_ASSIGN(hashes, ReadStored(source, path.level, path.n));
    hashes.resize(path.width * sizeof(Hash));
    return hashes;
  }
  hashes.reserve(path.width * sizeof(Hash));
  if (path.level == 0) {
    COFFER_TRY(ReadEntriesOf(source, path, [&](std::string_view entry) -> Status {
      AppendHash(LeafHash(crypto::AsBytes(entry)), hashes);
      return {};
    }));
    return hashes;
  }
  for (std::uint64_t i = 0; i < path.width; ++i) {
    COFFER_ASSIGN(const auto below, ReadStored(source, path.level - 1, path.n * kTileWidth + i));
    COFFER_ASSIGN(const auto leaves, ParseTile(below, kTileWidth));
    AppendHash(PerfectRoot(leaves), hashes);
  }
  return hashes;
}

Result<std::string> ReadBundleAt(LogSource& source, const TilePath& path, std::uint64_t size) {
  if (!path.entries || path.level != 0) return Fail(Code::kNotFound, "no_such_tile");
  COFFER_TRY(CheckExists(path, size));
  std::string bundle;
  COFFER_TRY(ReadEntriesOf(
      source, path, [&](std::string_view entry) { return AppendBundleEntry(bundle, entry); }));
  return bundle;
}

}  // namespace coffer::audit
