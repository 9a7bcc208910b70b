// Which pages of a database were written since somebody asked for them last, told by the frames of
// its write-ahead log. What a checkpoint copies from there is never lost to it: a log is begun anew
// only after a checkpoint, and before each one its frames are looked at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/result.h"
#include "vault/storage/wal_format.h"

namespace coffer::vault {

// Page numbers from 0, or all that there are.
class PageSet {
 public:
  static PageSet All() { return PageSet(true); }
  PageSet() = default;

  void Add(std::uint64_t page);
  void Add(const PageSet& other);
  void AddAll() { *this = All(); }

  bool empty() const { return !all_ && count_ == 0; }
  // Runs of pages below `end` that follow each other, in their order, each of at most `longest`.
  Status ForEachRun(
      std::uint64_t end, std::uint64_t longest,
      const std::function<Status(std::uint64_t first, std::uint64_t count)>& each) const;

 private:
  explicit PageSet(bool all) : all_(all) {}
  bool Has(std::uint64_t page) const {
    return all_ || (page < pages_.size() && pages_[static_cast<std::size_t>(page)]);
  }

  bool all_ = false;
  std::vector<bool> pages_;
  std::uint64_t count_ = 0;
};

// Of both databases.
struct ChangedPages {
  PageSet vault, keys;
};

// Of the thread that writes to the database.
class PageChanges {
 public:
  // `wal` is the path of the log. Everything counts as changed at first.
  explicit PageChanges(std::string wal) : wal_(std::move(wal)) {}

  // The log had `frames` after the last commit, or was emptied since. Where it cannot be read,
  // everything counts as changed.
  void Look(int frames);
  PageSet Take() { return std::exchange(changed_, PageSet()); }

 private:
  bool TryLook(std::size_t frames);

  const std::string wal_;
  std::array<std::uint8_t, kWalSaltsBytes> salts_{};  // of the log that was looked at last
  std::size_t seen_ = 0;                              // frames of it
  PageSet changed_ = PageSet::All();
};

}  // namespace coffer::vault
