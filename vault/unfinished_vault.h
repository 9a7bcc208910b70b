// What a vault is made of until it has its name.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "crypto/result.h"
#include "vault/base/file_account.h"
#include "vault/deletion/hold.h"

namespace coffer::vault {

// A directory beside the one that it is to become, and the anchor where that lies elsewhere. One
// process at a time makes it, and removes it through the directory itself: whatever has its name by
// then, only what was made in it goes.
class UnfinishedVault {
 public:
  // What a crash left under this name is cleared away first, where nothing else lies in it. Errors:
  // kConflict "vault_in_use" (another process makes a vault there), kUnavailable
  // "directory_not_writable".
  static Result<UnfinishedVault> Make(const std::string& path);
  UnfinishedVault(UnfinishedVault&& other) noexcept;
  UnfinishedVault& operator=(UnfinishedVault&&) = delete;
  ~UnfinishedVault();  // removes it, unless it was finished

  int directory() const { return directory_; }  // which holds the lock too
  // As whom the anchor was written.
  void AddAnchor(const std::string& path, const std::optional<FileAccount>& account);
  Status Rename(const std::string& path);
  void Finish() { finished_ = true; }

 private:
  explicit UnfinishedVault(std::string path) : path_(std::move(path)) {}
  Status Hold();
  Status Clear();

  std::string path_, anchor_;
  std::optional<FileAccount> anchor_account_;
  int directory_ = -1;
  bool finished_ = false;
};

}  // namespace coffer::vault
