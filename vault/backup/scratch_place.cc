#include "vault/backup/scratch_place.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

namespace coffer::vault {
namespace {

constexpr std::string_view kScratchName = "coffer-drill-";
constexpr std::string_view kNewName = "XXXXXX";

int OpenScratch(const std::string& path) {
  return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

Status RemoveScratch(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (!error) return {};
  return Fail(Code::kUnavailable, "file_not_removed",
              path + ": " + error.message() + "; it has a restored vault in it: remove it");
}

// Only what is this user's and has no living owner.
Status RemoveAbandoned(const std::string& path) {
  const int fd = OpenScratch(path);
  if (fd < 0) return {};
  struct stat status{};
  const bool ours = fstat(fd, &status) == 0 && status.st_uid == geteuid();
  const bool abandoned = ours && flock(fd, LOCK_EX | LOCK_NB) == 0;
  auto removed = abandoned ? RemoveScratch(path) : Status();
  close(fd);
  return removed;
}

Status RemoveAllAbandoned(const std::string& parent) {
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(parent, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename();
    const bool scratch =
        name.starts_with(kScratchName) && name.size() == kScratchName.size() + kNewName.size();
    if (scratch) found.push_back(at->path());
  }
  if (error) return Fail(Code::kUnavailable, "file_not_written", parent + ": " + error.message());
  for (const auto& path : found) COFFER_TRY(RemoveAbandoned(path));
  return {};
}

}  // namespace

Result<ScratchPlace> ScratchPlace::Make(const std::string& parent) {
  for (const char* const mark : {"keyring.json", "coffer-backup"}) {
    std::error_code error;
    if (!std::filesystem::exists(parent + "/" + mark, error)) continue;
    return Fail(Code::kConflict, "scratch_unfit",
                parent + " has a " + mark + ": name a directory that is for nothing else");
  }
  COFFER_TRY(RemoveAllAbandoned(parent));
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    std::string path = parent + "/" + std::string(kScratchName) + std::string(kNewName);
    if (mkdtemp(path.data()) == nullptr) {
      return Fail(Code::kUnavailable, "file_not_written", path + ": " + std::strerror(errno));
    }
    const int fd = OpenScratch(path);
    struct stat opened{}, named{};
    const bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno != EWOULDBLOCK && errno != ENOENT) {
      const int why = errno;
      if (fd >= 0) close(fd);
      rmdir(path.c_str());
      return Fail(Code::kConflict, "scratch_unfit",
                  parent + " has no locks (" + std::strerror(why) +
                      "): name a directory on a disk of this machine");
    }
    // Somebody who cleans up may have had the lock, and taken it away, in between.
    if (locked && fstat(fd, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
        opened.st_ino == named.st_ino && opened.st_dev == named.st_dev) {
      return ScratchPlace(std::move(path), fd);
    }
    if (fd >= 0) close(fd);
  }
  return Fail(Code::kUnavailable, "file_not_written", parent + ": others take what is made there");
}

Status ScratchPlace::Destroy() {
  if (fd_ < 0) return {};
  auto removed = RemoveScratch(path_);
  close(std::exchange(fd_, -1));
  return removed;
}

Result<std::uint64_t> RoomIn(const std::string& directory) {
  struct statvfs status{};
  if (statvfs(directory.c_str(), &status) != 0) {
    return Fail(Code::kUnavailable, "file_not_read", directory + ": " + std::strerror(errno));
  }
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace coffer::vault
