// Files that hold one secret: read into locked memory, and only when nobody else can read them.
#pragma once

#include <string>
#include <string_view>

#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::crypto::internal {

// What a failure is called; string literals, as errors keep them.
struct SecretFileReasons {
  std::string_view missing;    // kNotFound
  std::string_view exposed;    // kPermissionDenied: group or others may read, write or execute it
  std::string_view malformed;  // kInvalidArgument: longer than the limit
  std::string_view not_read;   // kUnavailable
};

inline constexpr std::size_t kMaxSecretFileBytes = 4096;
inline constexpr SecretFileReasons kSecretFileReasons{.missing = "secret_file_missing",
                                                      .exposed = "secret_file_exposed",
                                                      .malformed = "secret_file_malformed",
                                                      .not_read = "secret_file_not_read"};

// Also out of a pipe (`<(…)`), once, where something writes to it already.
Result<SecretBytes> ReadLockedFile(const std::string& path, std::size_t limit,
                                   const SecretFileReasons& reasons);

// The content of the file at `path`, and of it what is the secret. Errors: as of ReadSecretFile.
Result<SecretBytes> ReadWholeSecretFile(const std::string& path);
Result<SecretBytes> SecretIn(const SecretBytes& content, const std::string& path);

}  // namespace coffer::crypto::internal
