// The files of a vault, and the claim of the one process that may use them.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "crypto/result.h"

namespace coffer::vault {

// Another process's claim on the directory ends with this object.
class DirectoryLock {
 public:
  static Result<DirectoryLock> Acquire(const std::string& directory);
  DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

// Held by whoever signs the log whose anchor lies there: a copy of the vault, in another directory,
// does not go on beside it. It is a file beside the anchor. Errors: kConflict "anchor_in_use".
class AnchorLock {
 public:
  static Result<AnchorLock> Acquire(const std::string& anchor_path);
  AnchorLock(AnchorLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  AnchorLock(const AnchorLock&) = delete;
  AnchorLock& operator=(const AnchorLock&) = delete;
  AnchorLock& operator=(AnchorLock&&) = delete;
  ~AnchorLock();

 private:
  explicit AnchorLock(int fd) : fd_(fd) {}
  int fd_;
};

// Held by whoever changes keyring.json: commands do so beside a server, which has the directory,
// and which reads and changes it while it opens. Waits for another's, some seconds. Errors:
// kConflict "keyring_in_use"; kUnavailable "directory_not_writable".
class KeyringLock {
 public:
  static Result<KeyringLock> Acquire(const std::string& directory);
  // Waits for nobody.
  static Result<KeyringLock> TryAcquire(const std::string& directory);
  KeyringLock(KeyringLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  KeyringLock(const KeyringLock&) = delete;
  KeyringLock& operator=(const KeyringLock&) = delete;
  KeyringLock& operator=(KeyringLock&&) = delete;
  ~KeyringLock();

 private:
  explicit KeyringLock(int fd) : fd_(fd) {}
  static Result<KeyringLock> Acquire(const std::string& directory, int tries);
  int fd_;
};

std::string AnchorPath(const std::string& directory, const std::string& configured);
std::string VaultDatabasePath(const std::string& directory);
std::string KeysDatabasePath(const std::string& directory);
std::string LedgerPath(const std::string& directory, const std::string& configured);
std::string LogIndexPath(const std::string& directory);
std::string KeyringPath(const std::string& directory);
// There in a copy that may not be served yet (vault/backup/restored_copy.h).
std::string RestoredCopyPath(const std::string& directory);
// A key of the keyring, by its name there, on its way to a running server
// (crypto/versioned_keys.h); gone when it has taken it up.
std::string HandedOverKeyPath(const std::string& directory, std::string_view name);
// Whether it is there; what is no file was handed over by nobody.
bool IsHandedOver(const std::string& path);
// What a server has taken up, and what writers of it left. While a command has the keyring's lock,
// and may be writing it, it stays, and is to be taken up again. Errors: kUnavailable
// "file_not_removed".
Status RemoveHandedOver(const std::string& directory, std::string_view name);

}  // namespace coffer::vault
