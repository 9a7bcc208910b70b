// The account that a vault's files belong to. Root reads what the server's account may not, such as
// the root key; what root then writes into a vault must still be the server's, or its next start
// finds files that it cannot open. So whoever root runs on a vault acts as the account that has it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "crypto/result.h"

namespace coffer::vault {

struct FileAccount {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // all that it is in
};

// The account of vault.db in `directory`: nothing when this process is not root's, or when that is
// root's too. Of the directory's where there is no vault: opening it will tell. Errors:
// kPermissionDenied "owners_differ" where one of the two is root's and the other is not: whoever
// went on would leave files in it that the server cannot open.
Result<std::optional<FileAccount>> AccountOfVault(const std::string& directory);
// The account that a vault made at `directory` is to belong to: of the directory where there is
// one, else of the nearest one above it. Nothing as above.
std::optional<FileAccount> AccountForNewVault(const std::string& directory);

// For ever. Errors: kPermissionDenied "account_not_taken".
Status Become(const FileAccount& account);
// Gives away a directory that this process made and holds open, and the files in it. Nobody else
// may be able to write to it until then. Errors: kUnavailable "directory_not_writable".
Status GiveTo(const FileAccount& account, int directory, const std::string& path);

// Acts as the account until it goes out of scope. Errors: as Become.
class ActingAs {
 public:
  static Result<ActingAs> Begin(const std::optional<FileAccount>& account);
  ActingAs(ActingAs&& other) noexcept;
  ActingAs& operator=(ActingAs&&) = delete;
  ~ActingAs();

 private:
  explicit ActingAs(std::optional<FileAccount> before) : before_(std::move(before)) {}
  std::optional<FileAccount> before_;  // what is to be gone back to
};

}  // namespace coffer::vault
