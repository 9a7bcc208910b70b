#include "vault/backup/directory_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "crypto/atomic_file.h"

namespace coffer::vault {
namespace {

using crypto::Bytes;
using crypto::ByteView;

std::unexpected<Error> NoDirectory(const std::string& detail) {
  return Fail(Code::kUnavailable, "destination_unavailable", detail);
}

class FileClaim final : public BackupStore::Claim {
 public:
  explicit FileClaim(int fd) : fd_(fd) {}
  ~FileClaim() override { close(fd_); }
  FileClaim(const FileClaim&) = delete;
  FileClaim& operator=(const FileClaim&) = delete;

 private:
  const int fd_;
};

class DirectoryStore final : public BackupStore {
 public:
  explicit DirectoryStore(std::string path) : path_(std::move(path)) {}

  const std::string& place() const override { return path_; }
  Status MakeFolder(const std::string& name) override;
  Status SyncFolder(const std::string& name) override;
  Status Put(const std::string& name, ByteView content) override;
  Status Replace(const std::string& name, ByteView content) override { return Put(name, content); }
  Result<Bytes> Get(const std::string& name, std::size_t limit) override;
  Result<std::optional<Found>> Find(const std::string& name) override;
  Status List(const std::string& folder, const std::function<bool(const Entry&)>& each) override;
  Result<Removal> Remove(const std::string& name) override;
  Result<std::unique_ptr<Claim>> Take(const std::string& name) override;

 private:
  std::string PathOf(const std::string& name) const {
    return name.empty() ? path_ : path_ + "/" + name;
  }

  const std::string path_;
};

Status DirectoryStore::MakeFolder(const std::string& name) {
  const std::string path = PathOf(name);
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return NoDirectory(path + ": " + std::strerror(errno));
}

Status DirectoryStore::SyncFolder(const std::string& name) {
  const std::string path = PathOf(name);
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int why = errno;
  if (fd >= 0) close(fd);
  if (!synced) return NoDirectory("cannot sync " + path + ": " + std::strerror(why));
  return {};
}

// Only what is a file is written over.
Status DirectoryStore::Put(const std::string& name, ByteView content) {
  const std::string path = PathOf(name);
  struct stat about{};
  if (lstat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) {
    return Fail(Code::kConflict, "object_exists", path + " is no file");
  }
  auto written = crypto::WriteFileAtomically(path, content);
  // A copy by other means may have left empty folders out.
  const std::string folder = path.substr(0, path.rfind('/'));
  if (!written && lstat(folder.c_str(), &about) != 0 && errno == ENOENT &&
      mkdir(folder.c_str(), 0700) == 0) {
    COFFER_TRY(SyncFolder(name.substr(0, name.find('/'))));
    written = crypto::WriteFileAtomically(path, content);
  }
  if (!written) return NoDirectory(written.error().detail);
  return {};
}

// Not of what is no file: a pipe that somebody put there would be waited for.
Result<Bytes> DirectoryStore::Get(const std::string& name, std::size_t limit) {
  const std::string path = PathOf(name);
  struct stat about{};
  if (lstat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) {
    return Fail(Code::kCorrupted, "object_wrong", path + " is no file");
  }
  auto bytes = crypto::ReadFile(path, limit);
  if (bytes) return bytes;
  switch (bytes.error().code) {
    case Code::kNotFound:
      return Fail(Code::kNotFound, "object_missing", path);
    case Code::kUnavailable:
      return NoDirectory(bytes.error().detail);
    default:
      return Fail(Code::kCorrupted, "object_wrong", path);
  }
}

// What is no file is none of it.
Result<std::optional<BackupStore::Found>> DirectoryStore::Find(const std::string& name) {
  const std::string path = PathOf(name);
  struct stat about{};
  if (lstat(path.c_str(), &about) == 0) {
    if (!S_ISREG(about.st_mode)) return std::nullopt;
    return Found{static_cast<std::uint64_t>(about.st_size)};
  }
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  return NoDirectory(path + ": " + std::strerror(errno));
}

Status DirectoryStore::List(const std::string& folder,
                            const std::function<bool(const Entry&)>& each) {
  const std::string path = PathOf(folder);
  std::error_code error;
  std::filesystem::recursive_directory_iterator at(path, error);
  if (error == std::errc::no_such_file_or_directory) {
    return Fail(Code::kNotFound, "folder_missing", path + ": " + error.message());
  }
  for (const std::filesystem::recursive_directory_iterator end; !error && at != end;
       at.increment(error)) {
    const bool within = at->symlink_status(error).type() == std::filesystem::file_type::directory;
    if (!each({at->path().string().substr(path_.size() + 1), within, false})) return {};
  }
  return error ? NoDirectory(path + ": " + error.message()) : Status();
}

Result<BackupStore::Removal> DirectoryStore::Remove(const std::string& name) {
  const std::string path = PathOf(name);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return NoDirectory(path + ": " + std::strerror(errno));
  }
  return Removal{};
}

Result<std::unique_ptr<BackupStore::Claim>> DirectoryStore::Take(const std::string& name) {
  const std::string path = PathOf(name);
  // To write: over NFS nothing else can be locked to oneself.
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return NoDirectory(path + ": " + std::strerror(errno));
  auto claim = std::make_unique<FileClaim>(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Fail(Code::kConflict, "repository_in_use", "another process writes to " + path_);
  }
  return claim;
}

}  // namespace

std::shared_ptr<BackupStore> OpenDirectoryStore(const std::string& path) {
  return std::make_shared<DirectoryStore>(path);
}

}  // namespace coffer::vault
