// Files that are either old or new after a crash, never half.
#pragma once

#include <string>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::crypto {

// Temporary file beside `path` (mode), write, fsync, rename, fsync of the directory. Every return
// code is checked. Errors: kUnavailable "file_not_written", errno text and path in `detail`.
Status WriteFileAtomically(const std::string& path, ByteView content, unsigned mode = 0600);

// What writers of `path` left beside it when they crashed: files named as the temporary ones are.
// Durable on return. Not while another process writes `path`. Errors: kUnavailable
// "file_not_removed".
Status RemoveTemporariesOf(const std::string& path);

// Errors: kNotFound "file_missing", kTooLarge "file_too_large", kUnavailable "file_not_read".
Result<Bytes> ReadFile(const std::string& path, std::size_t limit);

}  // namespace coffer::crypto
