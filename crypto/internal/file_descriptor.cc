#include "crypto/internal/file_descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace coffer::crypto::internal {

// Nothing was written through a descriptor that is still open here, or its failure is already being
// reported.
FileDescriptor::~FileDescriptor() {
  if (valid()) static_cast<void>(Close());
}

// Linux frees the descriptor even when close reports EINTR: closing again could hit another file.
bool FileDescriptor::Close() { return close(std::exchange(fd_, -1)) == 0; }

bool WriteAll(int fd, ByteView content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

std::ptrdiff_t ReadUpTo(int fd, std::span<std::uint8_t> out) {
  std::size_t total = 0;
  while (total < out.size()) {
    const ssize_t got = read(fd, out.data() + total, out.size() - total);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    total += static_cast<std::size_t>(got);
  }
  return static_cast<std::ptrdiff_t>(total);
}

std::string ErrnoDetail(std::string_view what, const std::string& path) {
  const int error = errno;
  return std::string(what) + " " + path + ": " + std::generic_category().message(error);
}

}  // namespace coffer::crypto::internal
