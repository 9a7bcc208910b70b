#include "vault/storage/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "crypto/atomic_file.h"

namespace coffer::vault {

Result<DirectoryLock> DirectoryLock::Acquire(const std::string& directory) {
  const std::string path = directory + "/lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return Fail(Code::kUnavailable, "directory_not_writable",
                "cannot open " + path + ": " + std::strerror(errno) +
                    "; the data directory must exist and be writable by this user");
  }
  DirectoryLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return Fail(Code::kConflict, "vault_in_use",
                "another process is using " + directory + "; stop it first, or choose another one");
  }
  return lock;
}

// Where there is no room or right for it, writing the anchor fails next, and says so.
Result<AnchorLock> AnchorLock::Acquire(const std::string& anchor_path) {
  const std::string path = anchor_path + ".lock";
  AnchorLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.fd_ >= 0 && flock(lock.fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Fail(Code::kConflict, "anchor_in_use",
                "a server signs the log whose anchor is " + anchor_path +
                    ": stop it first; beside it, a copy of its vault must not go on");
  }
  return lock;
}

AnchorLock::~AnchorLock() {
  if (fd_ >= 0) close(fd_);
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) close(fd_);
}

Result<KeyringLock> KeyringLock::Acquire(const std::string& directory) {
  constexpr int kTries = 500;
  return Acquire(directory, kTries);
}

Result<KeyringLock> KeyringLock::TryAcquire(const std::string& directory) {
  return Acquire(directory, 1);
}

Result<KeyringLock> KeyringLock::Acquire(const std::string& directory, int tries) {
  constexpr std::chrono::milliseconds kTryAgainAfter{20};
  // On the directory itself: no file of its own, and nobody else locks it.
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return Fail(Code::kUnavailable, "directory_not_writable",
                "cannot open " + directory + ": " + std::strerror(errno));
  }
  KeyringLock lock(fd);
  for (int tried = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; ++tried) {
    if (tried == tries) {
      return Fail(Code::kConflict, "keyring_in_use",
                  "another command changes the keyring in " + directory +
                      ", or a server is being started; try again when it has ended");
    }
    std::this_thread::sleep_for(kTryAgainAfter);
  }
  return lock;
}

KeyringLock::~KeyringLock() {
  if (fd_ >= 0) close(fd_);
}

std::string AnchorPath(const std::string& directory, const std::string& configured) {
  return configured.empty() ? directory + "/anchor" : configured;
}
std::string VaultDatabasePath(const std::string& directory) { return directory + "/vault.db"; }
std::string KeysDatabasePath(const std::string& directory) { return directory + "/keys.db"; }
std::string LedgerPath(const std::string& directory, const std::string& configured) {
  return configured.empty() ? directory + "/erasures.ledger" : configured;
}
std::string LogIndexPath(const std::string& directory) { return directory + "/log-index.db"; }
std::string KeyringPath(const std::string& directory) { return directory + "/keyring.json"; }
std::string RestoredCopyPath(const std::string& directory) { return directory + "/restored.json"; }

std::string HandedOverKeyPath(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name) + ".handed-over";
}

bool IsHandedOver(const std::string& path) {
  struct stat about{};
  return lstat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode);
}

Status RemoveHandedOver(const std::string& directory, std::string_view name) {
  const auto lock = KeyringLock::TryAcquire(directory);
  if (!lock && lock.error().code == Code::kConflict) return {};
  if (!lock) return std::unexpected(lock.error());
  return crypto::RemoveSecretFile(HandedOverKeyPath(directory, name));
}

}  // namespace coffer::vault
