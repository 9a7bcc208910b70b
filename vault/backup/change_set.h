// What an increment changes in files, as objects of a repository:
//
//   object   "coffer-changes-v1\n", then changes, one behind the other
//   change   u8 length of the name, the file's name; u64 bytes that the file has afterwards;
//            u64 place; u32 length, the bytes that stand there. Big-endian
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "vault/backup/repository.h"

namespace coffer::vault {

struct FileChange {
  std::string_view name;
  std::uint64_t file_bytes = 0, at = 0;
  ByteView content;
};

// What is not much is written when it is finished, so that who reads the files need not wait for
// the repository.
class ChangeWriter {
 public:
  // `repository` outlives it.
  explicit ChangeWriter(const Repository& repository) : repository_(&repository) {}

  // Content of at most 4 MiB. Errors, of both: those of Repository::Put; kTooLarge
  // "increment_too_large" above kMaxBackupChanges objects.
  Status Add(const FileChange& change);
  Result<std::vector<Hash>> Finish();  // the objects

  bool empty() const { return objects_.empty() && waiting_.empty(); }
  std::uint64_t bytes() const { return bytes_; }  // of the objects

 private:
  Status PutFirst();

  const Repository* repository_;
  std::deque<Bytes> waiting_;  // the last is not full
  std::vector<Hash> objects_;
  std::uint64_t bytes_ = 0;
};

// Errors: those of Repository::Get and `take`; kCorrupted "changes_malformed".
Status ReadChanges(const Repository& repository, std::span<const Hash> objects,
                   const std::function<Status(const FileChange&)>& take);

}  // namespace coffer::vault
