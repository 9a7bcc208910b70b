#include "vault/storage/page_changes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

namespace coffer::vault {

void PageSet::Add(std::uint64_t page) {
  if (all_ || Has(page)) return;
  if (page >= pages_.size()) pages_.resize(static_cast<std::size_t>(page) + 1);
  pages_[static_cast<std::size_t>(page)] = true;
  ++count_;
}

void PageSet::Add(const PageSet& other) {
  if (other.all_) AddAll();
  if (all_) return;
  for (std::size_t page = 0; page < other.pages_.size(); ++page) {
    if (other.pages_[page]) Add(page);
  }
}

Status PageSet::ForEachRun(
    std::uint64_t end, std::uint64_t longest,
    const std::function<Status(std::uint64_t first, std::uint64_t count)>& each) const {
  if (!all_) end = std::min<std::uint64_t>(end, pages_.size());
  for (std::uint64_t page = 0; page < end;) {
    std::uint64_t count = 0;
    while (page + count < end && count < longest && Has(page + count)) ++count;
    if (count > 0) COFFER_TRY(each(page, count));
    page += std::max<std::uint64_t>(count, 1);
  }
  return {};
}

void PageChanges::Look(int frames) {
  if (frames > 0 && !TryLook(static_cast<std::size_t>(frames))) {
    changed_.AddAll();
    seen_ = 0;
    salts_ = {};
  }
}

// Another descriptor of the log takes no locks away: SQLite has none on it.
bool PageChanges::TryLook(std::size_t frames) {
  const int fd = open(wal_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  const auto read = [fd](std::size_t at, std::span<std::uint8_t> out) {
    return pread(fd, out.data(), out.size(), static_cast<off_t>(at)) ==
           static_cast<ssize_t>(out.size());
  };
  const auto look = [&] {
    std::array<std::uint8_t, kWalHeaderBytes> header;
    // Emptied since the last commit; what it had was looked at before.
    if (!read(0, header)) return lseek(fd, 0, SEEK_END) == 0;
    if (std::memcmp(header.data() + kWalSaltsAt, salts_.data(), salts_.size()) != 0) {
      std::memcpy(salts_.data(), header.data() + kWalSaltsAt, salts_.size());
      seen_ = 0;
    }
    // Behind the last commit may stand what was spilled and taken back, which the next overwrites.
    std::size_t seen = seen_;
    for (std::size_t at = seen_; at < frames; ++at) {
      std::array<std::uint8_t, kWalFrameHeaderBytes> frame;
      if (!read(kWalHeaderBytes + at * kWalFrameBytes, frame)) return false;
      if (std::memcmp(frame.data() + kWalFrameSaltsAt, salts_.data(), salts_.size()) != 0) {
        return false;
      }
      changed_.Add(ReadWalNumber(frame.data()) - 1);
      if (ReadWalNumber(frame.data() + kWalFrameCommitAt) != 0) seen = at + 1;
    }
    seen_ = seen;
    return true;
  };
  const bool looked = look();
  close(fd);
  return looked;
}

}  // namespace coffer::vault
