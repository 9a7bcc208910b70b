#include "api/cli/files/new_directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "api/cli/files/private_file.h"
#include "crypto/encoding.h"
#include "crypto/random.h"

namespace coffer::cli {
namespace {

Outcome<void> SyncDirectory(const std::string& path) {
  const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = directory >= 0 && fsync(directory) == 0;
  const int error = errno;
  if (directory >= 0) close(directory);
  if (synced) return {};
  return Failed(Exit::kFailed, "cannot write \"" + path + "\": " + std::strerror(error));
}

}  // namespace

std::string ParentOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash + 1);
}

std::unexpected<Failure> CannotMake(const std::string& path) {
  return Failed(Exit::kFailed, "cannot make \"" + path + "\": " + std::strerror(errno));
}

Outcome<std::unique_ptr<NewDirectory>> NewDirectory::Create(const std::string& path) {
  const std::string parent = ParentOf(path);
  std::string hidden = (parent == "." ? "./" : parent) + "." +
                       std::filesystem::path(path).filename().string() + "." +
                       crypto::HexEncode(crypto::RandomBytes(8)) + ".tmp";
  if (mkdir(hidden.c_str(), 0700) != 0) return CannotMake(path);
  return std::unique_ptr<NewDirectory>(new NewDirectory(path, std::move(hidden)));
}

NewDirectory::~NewDirectory() {
  std::error_code ignored;
  if (!finished_) std::filesystem::remove_all(hidden_, ignored);
}

Outcome<void> NewDirectory::Finish() {
  COFFER_TRY(SyncDirectory(hidden_));
  int renamed = renameat2(AT_FDCWD, hidden_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
  if (renamed != 0 && (errno == EINVAL || errno == ENOSYS)) {
    // Where the file system cannot refuse, an empty directory is all that could be replaced.
    COFFER_TRY(RefuseExisting(path_));
    renamed = rename(hidden_.c_str(), path_.c_str());
  }
  if (renamed != 0) return CannotMake(path_);
  finished_ = true;
  return SyncDirectory(ParentOf(path_));
}

}  // namespace coffer::cli
