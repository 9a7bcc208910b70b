// Bytes that are needed again, kept on the disk without being readable there: sealed under a key
// that only this process has, in a file without a name. Whatever ends the process, they are gone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "api/cli/text/failure.h"
#include "crypto/bytes.h"
#include "crypto/secret_bytes.h"

namespace coffer::cli {

// On the disk: as much as was appended, and 33 bytes for each 64 KiB of it.
class SealedSpool {
 public:
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{8} << 30;

  // In `directory`. Exit::kFailed where no file can be made.
  static Outcome<std::unique_ptr<SealedSpool>> Create(const std::string& directory);
  ~SealedSpool();
  SealedSpool(const SealedSpool&) = delete;
  SealedSpool& operator=(const SealedSpool&) = delete;

  // Exit::kFailed when the disk is full, or for more than kMaxBytes in all.
  Outcome<void> Append(std::string_view bytes);
  std::uint64_t size() const { return sealed_pieces_ * kPiece + open_.size(); }

  // At least one byte, unless `at` is size() or `into` is empty. Exit::kFailed for what was altered
  // on the disk.
  Outcome<std::size_t> Read(std::uint64_t at, std::span<char> into);

 private:
  static constexpr std::size_t kPiece = 64UZ * 1024;

  SealedSpool(std::string directory, int descriptor);
  Outcome<void> SealOpenPiece();
  Outcome<void> Load(std::uint64_t piece);
  std::unexpected<Failure> Broken(int error) const;

  std::string directory_;
  int descriptor_;
  crypto::SecretBytes key_;
  std::uint64_t sealed_pieces_ = 0;
  std::string open_;      // the last piece, not yet full
  crypto::Bytes loaded_;  // the piece read last
  std::uint64_t loaded_piece_ = UINT64_MAX;
};

}  // namespace coffer::cli
