#include "vault/base/file_account.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> NotTaken(uid_t user) {
  return Fail(Code::kPermissionDenied, "account_not_taken",
              "cannot act as the account " + std::to_string(user) +
                  ", which the vault's files belong to: " + std::strerror(errno));
}

// By the account's entry; one without an entry (of a container, say) has the file's group alone.
std::vector<gid_t> GroupsOf(uid_t user, gid_t& group) {
  std::array<char, 16384> text;
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(user, &entry, text.data(), text.size(), &found) != 0 || found == nullptr) {
    return {group};
  }
  group = entry.pw_gid;
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (getgrouplist(entry.pw_name, group, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    if (getgrouplist(entry.pw_name, group, groups.data(), &count) < 0) return {group};
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

std::optional<FileAccount> OwnerIn(const struct stat& status) {
  if (geteuid() != 0 || status.st_uid == 0) return {};
  FileAccount account{status.st_uid, status.st_gid, {}};
  account.groups = GroupsOf(account.user, account.group);
  return account;
}

std::unexpected<Error> NotGiven(const FileAccount& account, const std::string& path) {
  return Fail(Code::kUnavailable, "directory_not_writable",
              "cannot give " + path + " to the account " + std::to_string(account.user) + ": " +
                  std::strerror(errno));
}

}  // namespace

Result<std::optional<FileAccount>> AccountOfVault(const std::string& directory) {
  struct stat above{}, database{};
  if (geteuid() != 0 || stat(directory.c_str(), &above) != 0) return std::nullopt;
  // Not of what a link leads to, which whoever has the directory may have put there.
  if (lstat((directory + "/vault.db").c_str(), &database) != 0) return OwnerIn(above);
  if (above.st_uid != database.st_uid && (above.st_uid == 0 || database.st_uid == 0)) {
    return Fail(Code::kPermissionDenied, "owners_differ",
                directory + " belongs to the account " + std::to_string(above.st_uid) +
                    " and its vault.db to " + std::to_string(database.st_uid) +
                    ": give all of it to the server's account first (chown -R " +
                    std::to_string(std::max(above.st_uid, database.st_uid)) + ": " + directory +
                    ")");
  }
  return OwnerIn(database);
}

std::optional<FileAccount> AccountForNewVault(const std::string& directory) {
  std::error_code error;
  fs::path place = fs::absolute(directory, error).lexically_normal();
  while (!fs::exists(place, error) && place != place.parent_path()) place = place.parent_path();
  struct stat status{};
  if (stat(place.c_str(), &status) != 0) return {};
  return OwnerIn(status);
}

Status Become(const FileAccount& account) {
  // The user comes last: the rest is root's to do.
  if (setgroups(account.groups.size(), account.groups.data()) != 0 ||
      setresgid(account.group, account.group, account.group) != 0 ||
      setresuid(account.user, account.user, account.user) != 0) {
    return NotTaken(account.user);
  }
  return {};
}

// Through the directory that was made, never by its path, under which another one may lie by now.
Status GiveTo(const FileAccount& account, int directory, const std::string& path) {
  struct Close {
    void operator()(DIR* stream) const { closedir(stream); }
  };
  struct stat status{};
  if (fstat(directory, &status) != 0) return NotGiven(account, path);
  if (status.st_uid != geteuid()) {
    errno = EPERM;
    return NotGiven(account, path);
  }
  const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return NotGiven(account, path);
  const std::unique_ptr<DIR, Close> stream(fdopendir(fd));  // closes `fd` too
  if (stream == nullptr) return NotGiven(account, path);
  while (const dirent* const entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (fchownat(fd, name.c_str(), account.user, account.group, AT_SYMLINK_NOFOLLOW) != 0) {
      return NotGiven(account, path + "/" + name);
    }
  }
  return fchown(fd, account.user, account.group) == 0 ? Status() : NotGiven(account, path);
}

Result<ActingAs> ActingAs::Begin(const std::optional<FileAccount>& account) {
  if (!account) return ActingAs(std::nullopt);
  FileAccount before{geteuid(), getegid(), {}};
  before.groups.resize(static_cast<std::size_t>(std::max(getgroups(0, nullptr), 0)));
  if (getgroups(static_cast<int>(before.groups.size()), before.groups.data()) < 0) {
    return NotTaken(account->user);
  }
  ActingAs acting(std::move(before));  // goes back, should the rest fail half-way
  if (setgroups(account->groups.size(), account->groups.data()) != 0 ||
      setegid(account->group) != 0 || seteuid(account->user) != 0) {
    return NotTaken(account->user);
  }
  return acting;
}

ActingAs::ActingAs(ActingAs&& other) noexcept : before_(std::exchange(other.before_, {})) {}

ActingAs::~ActingAs() {
  if (!before_) return;
  // Going on as somebody in between would write files that nobody can use.
  if (seteuid(before_->user) != 0 || setegid(before_->group) != 0 ||
      setgroups(before_->groups.size(), before_->groups.data()) != 0) {
    std::abort();
  }
}

}  // namespace coffer::vault
