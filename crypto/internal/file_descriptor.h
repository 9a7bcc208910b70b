// Owner of a file descriptor, and the few system calls on it that retry and check.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "crypto/bytes.h"

namespace coffer::crypto::internal {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor();

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // False with errno set: some file systems report a failed write only here.
  [[nodiscard]] bool Close();

 private:
  int fd_;
};

// False with errno set.
[[nodiscard]] bool WriteAll(int fd, ByteView content);
// Reads until `out` is full or the file ends; the count read, or -1 with errno set.
[[nodiscard]] std::ptrdiff_t ReadUpTo(int fd, std::span<std::uint8_t> out);

// "what /path: No such file or directory", from errno.
std::string ErrnoDetail(std::string_view what, const std::string& path);

}  // namespace coffer::crypto::internal
