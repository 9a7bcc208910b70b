#include "vault/backup/page_list.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer::vault {
namespace {

constexpr std::string_view kListFormat = "coffer-page-list-v1\n";
constexpr std::string_view kPartFormat = "coffer-page-part-v1\n";
constexpr std::size_t kPageBytes = 4096;
constexpr std::uint64_t kPagesOfPart = 16'384;
constexpr std::size_t kPagesOfPack = 1024;
// A part whose pages lie in more packs than these is stored anew: what is read to restore it stays
// bounded, and old packs come to be needed by nobody.
constexpr std::size_t kMostPacksOfPart = 64;
constexpr std::size_t kBytesOfHash = sizeof(Hash);
constexpr std::size_t kPlaceBytes = 4 + kBytesOfHash;
static_assert(kPagesOfPack * kPageBytes <= Repository::kMaxObjectBytes);

struct PagePlace {
  std::uint16_t pack = 0;
  std::uint16_t slot = 0;
  Hash hash{};
};

struct Part {
  std::vector<Hash> packs;
  std::vector<PagePlace> pages;
};

std::unexpected<Error> Malformed() { return Fail(Code::kCorrupted, "page_list_malformed"); }

void AppendU16(Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

std::uint16_t ReadU16(ByteView bytes) {
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

Hash ReadHash(ByteView bytes) {
  Hash hash;
  std::ranges::copy(bytes.first(kBytesOfHash), hash.begin());
  return hash;
}

Bytes FormatPart(const Part& part) {
  Bytes out(kPartFormat.begin(), kPartFormat.end());
  out.reserve(out.size() + 2 + part.packs.size() * kBytesOfHash + part.pages.size() * kPlaceBytes);
  AppendU16(out, static_cast<std::uint16_t>(part.packs.size()));
  for (const Hash& pack : part.packs) out.insert(out.end(), pack.begin(), pack.end());
  for (const PagePlace& page : part.pages) {
    AppendU16(out, page.pack);
    AppendU16(out, page.slot);
    out.insert(out.end(), page.hash.begin(), page.hash.end());
  }
  return out;
}

Result<Part> ParsePart(ByteView bytes) {
  if (!crypto::AsText(bytes).starts_with(kPartFormat)) return Malformed();
  bytes = bytes.subspan(kPartFormat.size());
  if (bytes.size() < 2) return Malformed();
  const std::size_t packs = ReadU16(bytes);
  bytes = bytes.subspan(2);
  if (bytes.size() < packs * kBytesOfHash) return Malformed();
  Part part;
  for (std::size_t i = 0; i < packs; ++i, bytes = bytes.subspan(kBytesOfHash)) {
    part.packs.push_back(ReadHash(bytes));
  }
  if (bytes.size() % kPlaceBytes != 0 || bytes.size() / kPlaceBytes > kPagesOfPart) {
    return Malformed();
  }
  for (; !bytes.empty(); bytes = bytes.subspan(kPlaceBytes)) {
    const PagePlace place{ReadU16(bytes), ReadU16(bytes.subspan(2)), ReadHash(bytes.subspan(4))};
    if (place.pack >= packs) return Malformed();
    part.pages.push_back(place);
  }
  return part;
}

Result<std::vector<Hash>> ReadPageList(const Repository& repository, const Hash& list) {
  COFFER_ASSIGN(const Bytes bytes, repository.Get(list));
  ByteView rest(bytes);
  if (!crypto::AsText(rest).starts_with(kListFormat)) return Malformed();
  rest = rest.subspan(kListFormat.size());
  if (rest.size() % kBytesOfHash != 0) return Malformed();
  std::vector<Hash> parts;
  for (; !rest.empty(); rest = rest.subspan(kBytesOfHash)) parts.push_back(ReadHash(rest));
  return parts;
}

// All but the last are whole.
Result<Part> ReadPart(const Repository& repository, const std::vector<Hash>& parts, std::size_t i) {
  COFFER_ASSIGN(const Bytes bytes, repository.Get(parts[i]));
  COFFER_ASSIGN(auto part, ParsePart(bytes));
  if (part.pages.empty() || (i + 1 < parts.size() && part.pages.size() != kPagesOfPart)) {
    return Malformed();
  }
  return part;
}

class PartWriter {
 public:
  PartWriter(const Repository& repository, const Part& earlier, PageFigures& figures)
      : repository_(repository), earlier_(earlier), figures_(figures) {}

  // Which packs of the earlier part are there still.
  Status FindUsable(const std::function<Status()>& go_on) {
    std::vector<std::uint64_t> least(earlier_.packs.size(), 0);
    for (const PagePlace& page : earlier_.pages) {
      // The last page of the file may be shorter than others.
      const bool last = &page == &earlier_.pages.back();
      const std::uint64_t begin = page.slot * kPageBytes;
      least[page.pack] = std::max(least[page.pack], begin + (last ? 1 : kPageBytes));
    }
    for (std::size_t i = 0; i < earlier_.packs.size(); ++i) {
      COFFER_TRY(go_on());
      COFFER_ASSIGN(const bool there, repository_.Has(earlier_.packs[i], least[i]));
      usable_.push_back(there);
    }
    return {};
  }

  Status Add(ByteView page) {
    const Hash hash = crypto::Sha256(page);
    const std::size_t number = part_.pages.size();
    if (number < earlier_.pages.size() && earlier_.pages[number].hash == hash &&
        usable_[earlier_.pages[number].pack]) {
      const PagePlace& before = earlier_.pages[number];
      const auto [known, added] = kept_.try_emplace(before.pack, PackCount());
      if (added) part_.packs.push_back(earlier_.packs[before.pack]);
      part_.pages.push_back({known->second, before.slot, hash});
      return {};
    }
    if (pack_.empty()) {
      open_ = PackCount();
      part_.packs.emplace_back();
    }
    const auto slot = static_cast<std::uint16_t>(pack_.size() / kPageBytes);
    part_.pages.push_back({open_, slot, hash});
    pack_.insert(pack_.end(), page.begin(), page.end());
    ++figures_.pages_stored;
    // One that is short is the file's last.
    return pack_.size() == kPagesOfPack * kPageBytes ? ClosePack() : Status();
  }

  Result<Hash> Finish() {
    if (!pack_.empty()) COFFER_TRY(ClosePack());
    return Put(FormatPart(part_));
  }

 private:
  std::uint16_t PackCount() const { return static_cast<std::uint16_t>(part_.packs.size()); }
  Status ClosePack() {
    COFFER_ASSIGN(part_.packs[open_], Put(pack_));
    pack_.clear();
    return {};
  }
  Result<Hash> Put(ByteView bytes) {
    bool written = false;
    COFFER_ASSIGN(const Hash name, repository_.Put(bytes, written));
    if (written) figures_.bytes_stored += bytes.size();
    return name;
  }

  const Repository& repository_;
  const Part& earlier_;
  PageFigures& figures_;
  std::vector<bool> usable_;  // by pack of the earlier part
  Part part_;
  std::map<std::uint16_t, std::uint16_t>
      kept_;  // packs of the earlier part, where they are in this
  std::uint16_t open_ = 0;
  Bytes pack_;
};

}  // namespace

Result<Hash> StorePages(const PagedFile& file, const Repository& repository,
                        const std::optional<Hash>& earlier, const std::function<Status()>& go_on,
                        PageFigures& figures) {
  constexpr std::uint64_t kBytesOfPart = kPagesOfPart * kPageBytes;
  constexpr std::uint64_t kBytesOfPack = kPagesOfPack * kPageBytes;
  std::vector<Hash> earlier_parts;
  if (earlier) {
    if (auto read = ReadPageList(repository, *earlier)) earlier_parts = *std::move(read);
  }
  Bytes list(kListFormat.begin(), kListFormat.end());
  Bytes bytes;
  for (std::uint64_t first = 0; first < file.bytes; first += kBytesOfPart) {
    Part before;
    if (const std::size_t i = first / kBytesOfPart; i < earlier_parts.size()) {
      auto read = ReadPart(repository, earlier_parts, i);
      if (read && read->packs.size() <= kMostPacksOfPart) before = *std::move(read);
    }
    PartWriter part(repository, before, figures);
    COFFER_TRY(part.FindUsable(go_on));
    const std::uint64_t end = std::min(first + kBytesOfPart, file.bytes);
    for (std::uint64_t at = first; at < end; at += kBytesOfPack) {
      COFFER_TRY(go_on());
      bytes.resize(static_cast<std::size_t>(std::min(kBytesOfPack, end - at)));
      COFFER_TRY(file.read(at, bytes));
      for (ByteView rest(bytes); !rest.empty();) {
        const ByteView page = rest.first(std::min(kPageBytes, rest.size()));
        COFFER_TRY(part.Add(page));
        rest = rest.subspan(page.size());
        ++figures.pages;
      }
    }
    COFFER_ASSIGN(const Hash name, part.Finish());
    list.insert(list.end(), name.begin(), name.end());
  }
  bool written = false;
  COFFER_ASSIGN(const Hash name, repository.Put(list, written));
  if (written) figures.bytes_stored += list.size();
  return name;
}

Status ReadPages(const Repository& repository, const Hash& list, std::uint64_t size,
                 const TakePage& take) {
  COFFER_ASSIGN(const auto parts, ReadPageList(repository, list));
  std::uint64_t taken = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    COFFER_ASSIGN(const Part part, ReadPart(repository, parts, i));
    const std::uint64_t first = i * kPagesOfPart * kPageBytes;
    for (std::size_t pack = 0; pack < part.packs.size(); ++pack) {
      COFFER_ASSIGN(const Bytes bytes, repository.Get(part.packs[pack]));
      for (std::size_t page = 0; page < part.pages.size(); ++page) {
        const PagePlace& place = part.pages[page];
        if (place.pack != pack) continue;
        const std::size_t from = place.slot * kPageBytes;
        const std::uint64_t at = first + page * kPageBytes;
        if (from >= bytes.size() || at >= size) return Malformed();
        const ByteView content = ByteView(bytes).subspan(
            from, std::min({kPageBytes, bytes.size() - from, static_cast<std::size_t>(size - at)}));
        if (crypto::Sha256(content) != place.hash) return Fail(Code::kCorrupted, "page_wrong");
        COFFER_TRY(take(at, content));
        taken += content.size();
      }
    }
  }
  return taken == size ? Status() : Malformed();
}

Status ForEachObject(const Repository& repository, const Hash& list, const std::set<Hash>& known,
                     const std::function<Status(const Hash&)>& each) {
  COFFER_ASSIGN(const auto parts, ReadPageList(repository, list));
  COFFER_TRY(each(list));
  std::set<Hash> seen;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!seen.insert(parts[i]).second || known.contains(parts[i])) continue;
    COFFER_ASSIGN(const Part part, ReadPart(repository, parts, i));
    COFFER_TRY(each(parts[i]));
    for (const Hash& pack : part.packs) COFFER_TRY(each(pack));
  }
  return {};
}

}  // namespace coffer::vault
