#include "crypto/internal/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ranges>

#include "crypto/internal/file_descriptor.h"

namespace coffer::crypto::internal {
namespace {

// An access control list as the kernel hands it out (linux/posix_acl_xattr.h): u32 version, then
// entries of u16 tag, u16 permissions, u32 id, little-endian.
constexpr std::size_t kAclHeadBytes = 4;
constexpr std::size_t kAclEntryBytes = 8;
constexpr unsigned kAclUserObject = 0x01;
constexpr unsigned kAclUser = 0x02;
constexpr unsigned kAclMask = 0x10;

unsigned LittleEndian(ByteView bytes) {
  unsigned value = 0;
  for (const std::uint8_t byte : bytes | std::views::reverse) value = value << 8 | byte;
  return value;
}

// With an access control list, the mode's group bits are only a mask. systemd hands a credential to
// its service by a list that names this one user: that is no exposure.
bool OnlyOurselvesListed(int fd) {
  std::array<std::uint8_t, 512> list;
  const ssize_t size = fgetxattr(fd, "system.posix_acl_access", list.data(), list.size());
  if (size < static_cast<ssize_t>(kAclHeadBytes)) return false;  // also when there is no list
  ByteView entries = ByteView(list).first(static_cast<std::size_t>(size)).subspan(kAclHeadBytes);
  for (; entries.size() >= kAclEntryBytes; entries = entries.subspan(kAclEntryBytes)) {
    const unsigned tag = LittleEndian(entries.first(2));
    const unsigned permissions = LittleEndian(entries.subspan(2, 2));
    const bool ours = tag == kAclUserObject || tag == kAclMask ||
                      (tag == kAclUser && LittleEndian(entries.subspan(4, 4)) == geteuid());
    if (permissions != 0 && !ours) return false;
  }
  return true;
}

bool Exposed(int fd, const struct stat& status) {
  return (status.st_mode & 077) != 0 && !OnlyOurselvesListed(fd);
}

}  // namespace

Result<SecretBytes> ReadLockedFile(const std::string& path, std::size_t limit,
                                   const SecretFileReasons& reasons) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) {
    if (errno == ENOENT) return Fail(Code::kNotFound, reasons.missing, path + " does not exist");
    return Fail(Code::kUnavailable, reasons.not_read, ErrnoDetail("cannot open", path));
  }
  // Of the open file, not of the path: a path can come to mean another file in between.
  struct stat status{};
  if (fstat(file.get(), &status) != 0) {
    return Fail(Code::kUnavailable, reasons.not_read, ErrnoDetail("cannot examine", path));
  }
  if (Exposed(file.get(), status)) {
    return Fail(Code::kPermissionDenied, reasons.exposed,
                path +
                    " may be read by its group or by others; make it mode 0600 and consider the "
                    "secret in it known");
  }
  // A pipe that somebody writes to is waited for from here on, and one that nobody does ends.
  if (fcntl(file.get(), F_SETFL, 0) != 0) {
    return Fail(Code::kUnavailable, reasons.not_read, ErrnoDetail("cannot read", path));
  }
  SecretBytes buffer(limit + 1);
  const std::ptrdiff_t got = ReadUpTo(file.get(), buffer.ExposeSecretForWriting());
  if (got < 0) return Fail(Code::kUnavailable, reasons.not_read, ErrnoDetail("cannot read", path));
  const auto size = static_cast<std::size_t>(got);
  if (size == 0 && S_ISFIFO(status.st_mode)) {
    return Fail(Code::kUnavailable, reasons.not_read, path + " is a pipe that gave nothing");
  }
  if (size > limit) {
    return Fail(Code::kInvalidArgument, reasons.malformed,
                path + " is longer than " + std::to_string(limit) + " bytes");
  }
  return SecretBytes::CopyOf(buffer.ExposeSecret().first(size));
}

}  // namespace coffer::crypto::internal
