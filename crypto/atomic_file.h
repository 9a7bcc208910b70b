// Files that are either old or new after a crash, never half.
#pragma once

#include <string>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::crypto {

// Temporary file beside `path` (mode), write, fsync, rename, fsync of the directory. Every return
// code is checked. A file that is replaced keeps its owner, its group and what the group may do, as
// far as this process may set them; one that root makes anew is its directory's owner's. Errors:
// kUnavailable "file_not_written", errno text and path in `detail`.
Status WriteFileAtomically(const std::string& path, ByteView content, unsigned mode = 0600);

// The same for a file whose earlier content is to be gone: its blocks are overwritten once the new
// one is durable, unless the file has another name too, which somebody gave it who keeps it. Where
// the file system or the disk writes elsewhere than it wrote before (btrfs, ZFS, an SSD's spare
// blocks, snapshots), that reaches nothing. A crash leaves the earlier file under a temporary name,
// for RemoveTemporariesOf. Errors: as WriteFileAtomically; kUnavailable "file_not_removed", when
// the new file is there and the old one too.
Status ReplaceSecretFile(const std::string& path, ByteView content, unsigned mode = 0600);

// What writers of `path` left beside it when they crashed: files named as the temporary ones are.
// Overwritten first, as above. Durable on return. Not while another process writes `path`. Errors:
// kUnavailable "file_not_removed".
Status RemoveTemporariesOf(const std::string& path);

// The file, overwritten as above, and what writers of it left; fine when there is none. Durable on
// return. Errors: kUnavailable "file_not_removed".
Status RemoveSecretFile(const std::string& path);

// Of nothing secret; fine when there is none. Durable on return. Errors: kUnavailable
// "file_not_removed".
Status RemoveFile(const std::string& path);

// What is no regular file, or no link to one, is not read: a pipe would be waited for, and a device
// may never end. Errors: kNotFound "file_missing", kTooLarge "file_too_large", kUnavailable
// "file_not_read".
Result<Bytes> ReadFile(const std::string& path, std::size_t limit);

// The same for who reads it by other means, as far as it can be told before. Errors: kNotFound
// "file_missing", kUnavailable "file_not_read".
Status CheckIsFile(const std::string& path);

}  // namespace coffer::crypto
