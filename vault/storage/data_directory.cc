#include "vault/storage/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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

DirectoryLock::~DirectoryLock() {
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

}  // namespace coffer::vault
