// An access package as its client gets it: a zip archive that any computer opens, under a
// passphrase, or for the holder of a certificate.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "api/cli/text/failure.h"
#include "audit/documents/zip_archive.h"
#include "crypto/bytes.h"
#include "crypto/secret_bytes.h"

namespace coffer::cli {

// Zip derives its key with few rounds, so that a short one is soon guessed.
inline constexpr std::size_t kLeastPassphrase = 20;

// At most one of both; none: the archive is open to whoever has it.
struct PackageProtection {
  std::optional<crypto::SecretBytes> passphrase;  // AES-256 zip (AE-2)
  std::string recipient;  // a certificate in PEM: CMS (RFC 5083), AES-256-GCM
};

// Exit::kUsage for a passphrase that is too short, and for what is no certificate, is not valid
// now, or whose key encrypts nothing.
Outcome<void> CheckProtection(const PackageProtection& protection);
Outcome<crypto::Bytes> PackArchive(std::span<const audit::NamedFile> files,
                                   const PackageProtection& protection);

}  // namespace coffer::cli
