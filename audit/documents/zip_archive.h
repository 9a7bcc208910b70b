// Zip archives in memory, of a few flat names. The only user of libarchive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"

namespace coffer::audit {

struct NamedFile {
  std::string name;
  std::string bytes;
};

// The same files give the same archive: their order is kept, their time is 1980-01-01 and their
// mode 0644. (Deflate is zlib's: another release of it may compress otherwise.)
Result<crypto::Bytes> WriteZip(std::span<const NamedFile> files);
// The same with each file's content under the passphrase: AES-256 as WinZip writes it (AE-2, which
// derives its key with 1,000 rounds of PBKDF2: the passphrase has to be long). Names and sizes stay
// readable.
Result<crypto::Bytes> WriteEncryptedZip(std::span<const NamedFile> files,
                                        const crypto::SecretBytes& passphrase);

struct ZipLimits {
  std::size_t max_files = 0;
  std::uint64_t max_total_bytes = 0;  // uncompressed, counted while they are read
  // The most bytes that a file of this name may have; 0 refuses the name.
  std::function<std::uint64_t(std::string_view name)> max_bytes;
};

// The files of a zip archive, in its order. Only what its directory lists is read. Errors:
// kCorrupted "archive_malformed" (no zip archive, cut short, a wrong CRC, a name twice or one that
// is not wanted, anything but plain files), kTooLarge "archive_too_large".
Result<std::vector<NamedFile>> ReadZip(crypto::ByteView archive, const ZipLimits& limits);

}  // namespace coffer::audit
