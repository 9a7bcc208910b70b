// The part of atomic_file.h that refuses to replace.
#pragma once

#include <string>

#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::crypto::internal {

// As WriteFileAtomically, but an existing `path` stays as it is, also when two processes try at the
// same time. Errors: kConflict "file_exists", kUnavailable "file_not_written".
Status WriteNewFile(const std::string& path, ByteView content, unsigned mode);

}  // namespace coffer::crypto::internal
