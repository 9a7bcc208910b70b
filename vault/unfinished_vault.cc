#include "vault/unfinished_vault.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "vault/deletion/hold.h"

namespace coffer::vault {
namespace {

// What the names begin with of all that a vault which is being made can hold.
constexpr std::array<std::string_view, 4> kParts = {"keyring.json", "vault.db", "keys.db",
                                                    "anchor"};

std::unexpected<Error> NotDone(std::string_view what, const std::string& path) {
  return Fail(Code::kUnavailable, "directory_not_writable",
              "cannot " + std::string(what) + " " + path + ": " + std::strerror(errno));
}

std::unexpected<Error> MadeByAnother(const std::string& path) {
  return Fail(Code::kConflict, "vault_in_use",
              "another process is making a vault in " + path + "; let it finish");
}

bool IsPart(std::string_view name) {
  return std::ranges::any_of(kParts, [&](std::string_view part) { return name.starts_with(part); });
}

}  // namespace

Result<UnfinishedVault> UnfinishedVault::Make(const std::string& path) {
  UnfinishedVault made(path);
  made.finished_ = true;  // not to be removed before it is known to be this process's
  const bool left_behind = mkdir(path.c_str(), 0700) != 0;
  if (left_behind && errno != EEXIST) return NotDone("make", path);
  COFFER_TRY(made.Hold());
  if (left_behind) {
    // Made anew: the one that is there may be somebody else's by now.
    COFFER_TRY(made.Clear());
    if (rmdir(path.c_str()) != 0) return NotDone("clear away", path);
    if (mkdir(path.c_str(), 0700) != 0) {
      if (errno == EEXIST) return MadeByAnother(path);
      return NotDone("make", path);
    }
    COFFER_TRY(made.Hold());
  }
  made.finished_ = false;
  return made;
}

UnfinishedVault::UnfinishedVault(UnfinishedVault&& other) noexcept
    : path_(std::move(other.path_)),
      anchor_(std::move(other.anchor_)),
      anchor_account_(std::move(other.anchor_account_)),
      directory_(std::exchange(other.directory_, -1)),
      finished_(std::exchange(other.finished_, true)) {}

UnfinishedVault::~UnfinishedVault() {
  if (!finished_) {
    const auto acting = ActingAs::Begin(geteuid() == 0 ? anchor_account_ : std::nullopt);
    if (!anchor_.empty() && acting) unlink(anchor_.c_str());
  }
  // Only an empty directory can be removed by its name.
  if (!finished_ && Clear()) rmdir(path_.c_str());
  if (directory_ >= 0) close(directory_);
}

// Opens and locks the directory of this name. Another process may have renamed or removed the one
// that was opened until it is locked.
Status UnfinishedVault::Hold() {
  if (directory_ >= 0) close(directory_);
  directory_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory_ < 0) return NotDone("use what has the name", path_);
  // Where a directory cannot be locked (NFS), there is no telling.
  if (flock(directory_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return MadeByAnother(path_);
  }
  struct stat held{}, named{};
  if (fstat(directory_, &held) != 0) return NotDone("look at", path_);
  if (lstat(path_.c_str(), &named) != 0 || held.st_dev != named.st_dev ||
      held.st_ino != named.st_ino) {
    return MadeByAnother(path_);
  }
  return {};
}

Status UnfinishedVault::Clear() {
  struct Close {
    void operator()(DIR* stream) const { closedir(stream); }
  };
  const int again = openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return NotDone("read", path_);
  const std::unique_ptr<DIR, Close> stream(fdopendir(again));  // closes `again` too
  if (stream == nullptr) return NotDone("read", path_);
  std::vector<std::string> names;
  while (const dirent* const entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (!IsPart(name)) {
      return Fail(Code::kUnavailable, "directory_not_writable",
                  path_ + " holds " + name + ", which is not of a vault half made; move it away");
    }
    names.push_back(name);
  }
  for (const std::string& name : names) {
    if (unlinkat(directory_, name.c_str(), 0) != 0) return NotDone("remove", path_ + "/" + name);
  }
  return {};
}

void UnfinishedVault::AddAnchor(const std::string& path,
                                const std::optional<FileAccount>& account) {
  anchor_ = path;
  anchor_account_ = account;
}

Status UnfinishedVault::Rename(const std::string& path) {
  if (rename(path_.c_str(), path.c_str()) != 0) return NotDone("rename", path_);
  path_ = path;
  return {};
}

}  // namespace coffer::vault
