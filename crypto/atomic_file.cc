#include "crypto/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <vector>

#include "crypto/encoding.h"
#include "crypto/internal/file_descriptor.h"
#include "crypto/internal/new_file.h"
#include "crypto/random.h"

namespace coffer::crypto {
namespace {

using internal::ErrnoDetail;
using internal::FileDescriptor;

enum class IfExists { kReplace, kRefuse };

std::unexpected<Error> NotWritten(std::string_view what, const std::string& path) {
  return Fail(Code::kUnavailable, "file_not_written", ErrnoDetail(what, path));
}

std::string DirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

constexpr std::size_t kRandomNameBytes = 8;
constexpr std::string_view kTemporarySuffix = ".tmp";

// The name is random: with a fixed one, two writers of one path would rename each other's halves.
// A crash leaves the temporary file behind; it holds nothing the finished file would not. Where a
// later one is to hold less, there is RemoveTemporariesOf.
std::string TemporaryNameFor(const std::string& path) {
  return path + "." + HexEncode(RandomBytes(kRandomNameBytes)) + std::string(kTemporarySuffix);
}

bool IsTemporaryNameFor(std::string_view base, std::string_view name) {
  if (!name.starts_with(base) || !name.ends_with(kTemporarySuffix)) return false;
  if (name.size() != base.size() + 1 + 2 * kRandomNameBytes + kTemporarySuffix.size()) return false;
  const std::string_view random = name.substr(base.size() + 1, 2 * kRandomNameBytes);
  return name[base.size()] == '.' && HexDecode(random).has_value();
}

// Whose a file is to be, and who may read it. Negative ids: this process's.
struct Holder {
  uid_t user = static_cast<uid_t>(-1);
  gid_t group = static_cast<gid_t>(-1);
  mode_t mode = 0600;
};

// That of the file which is replaced, so that somebody else's program that reads it still can: its
// owner and group, and what its group may do. A new one, where root makes it, is its directory's.
Holder HolderOf(const std::string& path, mode_t mode) {
  struct stat status{};
  if (lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
    return {status.st_uid, status.st_gid, mode | (status.st_mode & (S_IRGRP | S_IWGRP))};
  }
  if (geteuid() != 0 || stat(DirectoryOf(path).c_str(), &status) != 0) return {.mode = mode};
  // Where everybody may make files, the directory's owner is not whom they are for.
  if ((status.st_mode & S_ISVTX) != 0) return {.mode = mode};
  return {status.st_uid, status.st_gid, mode};
}

// Where the file cannot be given away, nobody gets more than `mode`.
Status HandOver(const FileDescriptor& file, const std::string& path, const Holder& holder,
                mode_t mode) {
  struct stat made{};
  if (fstat(file.get(), &made) != 0) return NotWritten("cannot look at", path);
  constexpr auto kAsItIs = static_cast<uid_t>(-1);
  const bool user_kept = holder.user == kAsItIs || holder.user == made.st_uid ||
                         (geteuid() == 0 && fchown(file.get(), holder.user, kAsItIs) == 0);
  const bool group_kept = holder.group == kAsItIs || holder.group == made.st_gid ||
                          fchown(file.get(), kAsItIs, holder.group) == 0;
  // The umask may have taken bits away that the reader needs.
  if (fchmod(file.get(), user_kept && group_kept ? holder.mode : mode) != 0) {
    return NotWritten("cannot set the mode of", path);
  }
  return {};
}

Status WriteAndSync(const std::string& path, ByteView content, const Holder& holder, mode_t mode) {
  FileDescriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.valid()) return NotWritten("cannot create", path);
  COFFER_TRY(HandOver(file, path, holder, mode));
  if (!internal::WriteAll(file.get(), content)) return NotWritten("cannot write", path);
  if (fsync(file.get()) != 0) return NotWritten("cannot sync", path);
  if (!file.Close()) return NotWritten("cannot close", path);
  return {};
}

Status SyncDirectoryOf(const std::string& path) {
  const std::string name = DirectoryOf(path);
  FileDescriptor directory(open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return NotWritten("cannot open directory", name);
  if (fsync(directory.get()) != 0) return NotWritten("cannot sync directory", name);
  return {};
}

// Gives the finished file its name. A link refuses an existing name in the one system call, where a
// check before a rename would leave a gap; a crash in between leaves two names for one file.
Status Publish(const std::string& temporary, const std::string& path, IfExists if_exists) {
  if (if_exists == IfExists::kReplace) {
    if (rename(temporary.c_str(), path.c_str()) != 0) return NotWritten("cannot replace", path);
    return {};
  }
  if (link(temporary.c_str(), path.c_str()) != 0) {
    if (errno != EEXIST) return NotWritten("cannot create", path);
    return Fail(Code::kConflict, "file_exists", path + " exists already and was left as it is");
  }
  if (unlink(temporary.c_str()) != 0) return NotWritten("cannot remove", temporary);
  return {};
}

// Content, then name, then directory, each durable before the next: whatever the moment of a crash,
// `path` is absent, old or new, and new for good once this returned.
Status Write(const std::string& path, ByteView content, unsigned mode, IfExists if_exists) {
  const std::string temporary = TemporaryNameFor(path);
  const auto least = static_cast<mode_t>(mode);
  // One that is not to be replaced is its maker's: a secret, as a rule.
  const Holder holder =
      if_exists == IfExists::kReplace ? HolderOf(path, least) : Holder{.mode = least};
  Status status = WriteAndSync(temporary, content, holder, least);
  if (status) status = Publish(temporary, path, if_exists);
  if (!status) {
    // Best effort: the failure to report is the one above.
    static_cast<void>(unlink(temporary.c_str()));
    return status;
  }
  return SyncDirectoryOf(path);
}

std::unexpected<Error> NotRead(std::string_view what, const std::string& path) {
  if (errno == ENOENT) return Fail(Code::kNotFound, "file_missing", path + " does not exist");
  return Fail(Code::kUnavailable, "file_not_read", ErrnoDetail(what, path));
}

Status CheckRegular(const struct stat& status, const std::string& path) {
  if (S_ISREG(status.st_mode)) return {};
  return Fail(Code::kUnavailable, "file_not_read",
              path + " is no file, but " +
                  (S_ISDIR(status.st_mode)    ? "a directory"
                   : S_ISFIFO(status.st_mode) ? "a pipe"
                                              : "a device or a socket"));
}

std::unexpected<Error> NotRemoved(std::string detail) {
  return Fail(Code::kUnavailable, "file_not_removed", std::move(detail));
}

Status Overwrite(const FileDescriptor& file, const std::string& path) {
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return NotRemoved(ErrnoDetail("cannot look at", path));
  if (!S_ISREG(status.st_mode) || status.st_nlink != 1) return {};
  const Bytes zeros(4096);
  for (off_t at = 0; at < status.st_size;) {
    const auto left = static_cast<std::size_t>(status.st_size - at);
    const ssize_t wrote = pwrite(file.get(), zeros.data(), std::min(zeros.size(), left), at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return NotRemoved(ErrnoDetail("cannot overwrite", path));
    at += wrote;
  }
  if (fsync(file.get()) != 0) return NotRemoved(ErrnoDetail("cannot sync", path));
  return {};
}

// Fine when there is no such file.
Status OverwriteAndRemove(const std::string& path) {
  {
    const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file.valid() && errno == ENOENT) return {};
    // What cannot be written is removed at least.
    if (file.valid()) COFFER_TRY(Overwrite(file, path));
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return NotRemoved(ErrnoDetail("cannot remove", path));
  }
  return {};
}

}  // namespace

Status ReplaceSecretFile(const std::string& path, ByteView content, unsigned mode) {
  // While it has both names, nothing overwrites it.
  const std::string earlier = TemporaryNameFor(path);
  const bool kept = link(path.c_str(), earlier.c_str()) == 0;
  if (auto written = WriteFileAtomically(path, content, mode); !written) {
    if (kept) static_cast<void>(unlink(earlier.c_str()));
    return written;
  }
  if (!kept) return {};
  COFFER_TRY(OverwriteAndRemove(earlier));
  return SyncDirectoryOf(path);
}

Status WriteFileAtomically(const std::string& path, ByteView content, unsigned mode) {
  return Write(path, content, mode, IfExists::kReplace);
}

Status internal::WriteNewFile(const std::string& path, ByteView content, unsigned mode) {
  return Write(path, content, mode, IfExists::kRefuse);
}

Status RemoveTemporariesOf(const std::string& path) {
  const std::filesystem::path directory = DirectoryOf(path);
  const std::string base = std::filesystem::path(path).filename();
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (IsTemporaryNameFor(base, entry->path().filename().native())) found.push_back(entry->path());
  }
  if (error) return NotRemoved("cannot list " + directory.string() + ": " + error.message());
  for (const std::string& temporary : found) {
    COFFER_TRY(OverwriteAndRemove(temporary));
  }
  // Even when nothing was found: who removed them before may have crashed ahead of this.
  return SyncDirectoryOf(path);
}

Status RemoveSecretFile(const std::string& path) {
  COFFER_TRY(OverwriteAndRemove(path));
  return RemoveTemporariesOf(path);
}

Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return Fail(Code::kUnavailable, "file_not_removed", ErrnoDetail("cannot remove", path));
  }
  return SyncDirectoryOf(path);
}

Result<Bytes> ReadFile(const std::string& path, std::size_t limit) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return NotRead("cannot open", path);
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return NotRead("cannot look at", path);
  COFFER_TRY(CheckRegular(status, path));
  // In pieces that double: neither the size the file claims nor the limit is allocated on trust.
  Bytes content;
  std::size_t room = 4096;
  while (content.size() <= limit) {
    const std::size_t had = content.size();
    const std::size_t piece = std::min(room, limit - had + 1);
    content.resize(had + piece);
    const std::ptrdiff_t got =
        internal::ReadUpTo(file.get(), std::span<std::uint8_t>(content).subspan(had));
    if (got < 0) return Fail(Code::kUnavailable, "file_not_read", ErrnoDetail("cannot read", path));
    content.resize(had + static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < piece) return content;
    room *= 2;
  }
  return Fail(Code::kTooLarge, "file_too_large",
              path + " is larger than " + std::to_string(limit) + " bytes");
}

Status CheckIsFile(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return NotRead("cannot look at", path);
  return CheckRegular(status, path);
}

}  // namespace coffer::crypto
