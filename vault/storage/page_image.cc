#include "vault/storage/page_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace coffer::vault {
namespace {

// The page of SQLite's lock bytes, the one at 1 GiB, which has no content, and which a file that
// grows past it in the log alone has not.
constexpr std::uint64_t kPageWithoutContent = (std::uint64_t{1} << 30) / PageImage::kPageBytes;
constexpr std::uint32_t kWalMagic = 0x377f0682;  // its last bit says in which order sums are made

class WalSum {
 public:
  explicit WalSum(bool big_endian) : big_endian_(big_endian) {}
  void Add(const std::uint8_t* bytes, std::size_t size) {
    for (std::size_t at = 0; at < size; at += 8) {
      first_ += Word(bytes + at) + second_;
      second_ += Word(bytes + at + 4) + first_;
    }
  }
  bool Is(const std::uint8_t* stored) const {
    return ReadWalNumber(stored) == first_ && ReadWalNumber(stored + 4) == second_;
  }

 private:
  std::uint32_t Word(const std::uint8_t* bytes) const {
    if (big_endian_) return ReadWalNumber(bytes);
    return std::uint32_t{bytes[3]} << 24 | std::uint32_t{bytes[2]} << 16 |
           std::uint32_t{bytes[1]} << 8 | bytes[0];
  }
  const bool big_endian_;
  std::uint32_t first_ = 0, second_ = 0;
};

struct CloseDescriptor {
  void operator()(const int* fd) const { close(*fd); }
};

// SQLite takes no locks on this file, so none is lost with the descriptor. Nothing where there is
// none.
Result<Bytes> ReadWalFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT) return Bytes();
  if (fd < 0) return Fail(Code::kUnavailable, "storage_unavailable", path);
  const std::unique_ptr<const int, CloseDescriptor> closed(&fd);
  struct stat about{};
  if (fstat(fd, &about) != 0) return Fail(Code::kUnavailable, "storage_unavailable", path);
  if (about.st_size > static_cast<off_t>(PageImage::kMaxWalBytes)) {
    return Fail(
        Code::kExhausted, "wal_too_long",
        path + " has " + std::to_string(about.st_size) + " bytes: something reads for long");
  }
  Bytes wal(static_cast<std::size_t>(about.st_size));
  for (std::size_t at = 0; at < wal.size();) {
    const ssize_t got = pread(fd, wal.data() + at, wal.size() - at, static_cast<off_t>(at));
    if (got < 0) return Fail(Code::kUnavailable, "storage_unavailable", path);
    if (got == 0) wal.resize(at);
    at += static_cast<std::size_t>(got);
  }
  return wal;
}

}  // namespace

Result<PageImage> PageImage::Take(Database reader) {
  PageImage image;
  image.reader_ = std::move(reader);
  COFFER_TRY(image.reader_.Execute("BEGIN; SELECT count(*) FROM sqlite_schema"));
  COFFER_ASSIGN(const std::uint64_t bytes, image.reader_.FileBytes());
  image.pages_ = bytes / kPageBytes;
  COFFER_TRY(image.ReadWal());
  return image;
}

// Frames that count have the salts of the log's header and a sum over all before them; what stands
// behind the last commit, or is left of an earlier log, does not.
Status PageImage::ReadWal() {
  COFFER_ASSIGN(wal_, ReadWalFile(reader_.path() + "-wal"));
  std::size_t committed = 0;
  if (wal_.size() >= kWalHeaderBytes && (ReadWalNumber(wal_.data()) & ~1U) == kWalMagic &&
      ReadWalNumber(wal_.data() + 8) == kPageBytes) {
    WalSum sum((ReadWalNumber(wal_.data()) & 1) != 0);
    sum.Add(wal_.data(), kWalHeaderBytes - 8);
    bool sound = sum.Is(wal_.data() + kWalHeaderBytes - 8);
    std::unordered_map<std::uint64_t, std::size_t> begun;
    for (std::size_t at = kWalHeaderBytes; sound && at + kWalFrameBytes <= wal_.size();
         at += kWalFrameBytes) {
      const std::uint8_t* const frame = wal_.data() + at;
      sum.Add(frame, 8);
      sum.Add(frame + kWalFrameHeaderBytes, kPageBytes);
      sound =
          std::memcmp(frame + kWalFrameSaltsAt, wal_.data() + kWalSaltsAt, kWalSaltsBytes) == 0 &&
          sum.Is(frame + 16);
      if (!sound) break;
      begun.insert_or_assign(ReadWalNumber(frame) - 1, at + kWalFrameHeaderBytes);
      if (const std::uint32_t pages = ReadWalNumber(frame + 4); pages != 0) {
        for (const auto& [page, place] : begun) newest_.insert_or_assign(page, place);
        begun.clear();
        pages_ = pages;
        committed = at + kWalFrameBytes;
      }
    }
  }
  wal_.resize(committed);
  wal_.shrink_to_fit();
  return {};
}

Status PageImage::Read(std::uint64_t first, std::span<std::uint8_t> out) const {
  const std::uint64_t count = out.size() / kPageBytes;
  // Runs that the file alone has, in one call each. A page that a checkpoint is just copying may be
  // read half: it is one that the log has.
  for (std::uint64_t i = 0; i < count;) {
    std::uint64_t end = i;
    while (end < count && !newest_.contains(first + end) && first + end != kPageWithoutContent)
      ++end;
    if (end > i) {
      COFFER_TRY(reader_.ReadFileBytes((first + i) * kPageBytes,
                                       out.subspan(i * kPageBytes, (end - i) * kPageBytes)));
    }
    if (end < count && first + end == kPageWithoutContent) {
      std::ranges::fill(out.subspan(end * kPageBytes, kPageBytes), std::uint8_t{0});
      ++end;
    } else if (end < count) {
      std::ranges::copy(ByteView(wal_).subspan(newest_.at(first + end), kPageBytes),
                        out.begin() + static_cast<std::ptrdiff_t>(end * kPageBytes));
      ++end;
    }
    i = end;
  }
  return {};
}

}  // namespace coffer::vault
