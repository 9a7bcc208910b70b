// One state of a database's file, as its bytes stand there: the file, and over it what the
// write-ahead log has of that state. Ciphertext, read without a key, while others go on writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "vault/storage/sqlite.h"
#include "vault/storage/wal_format.h"

namespace coffer::vault {

class PageImage {
 public:
  static constexpr std::size_t kPageBytes = kDatabasePageBytes;
  static constexpr std::size_t kMaxWalBytes = std::size_t{48} << 20;

  // The state that is committed now, by a connection of its own, which begins to read here and
  // reads until the image ends: so long checkpoints copy nothing newer into the file, and the
  // write-ahead log grows. Precondition: nobody commits to the database meanwhile; `reader` is in
  // no transaction. Errors: those of SqliteError; kExhausted "wal_too_long" above kMaxWalBytes;
  // kCorrupted "file_too_short".
  static Result<PageImage> Take(Database reader);

  std::uint64_t pages() const { return pages_; }
  // Consecutive pages, the first being number 0. Precondition: they are below pages(); `out` is
  // whole pages. Errors: as Database::ReadFileBytes.
  Status Read(std::uint64_t first, std::span<std::uint8_t> out) const;

 private:
  Status ReadWal();

  Database reader_;
  std::uint64_t pages_ = 0;
  Bytes wal_;                                              // up to the last commit
  std::unordered_map<std::uint64_t, std::size_t> newest_;  // by page, its place in wal_
};

}  // namespace coffer::vault
