// What changed in a vault since a generation of a backup (backup_manifest.h), or since the
// increment before: a signed note (audit/documents/signed_document.h) of the format
// "coffer-backup-increment-v1". docs/formats.md has it to the byte, and what its objects are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/backup_manifest.h"
#include "audit/text/clock.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

// No note of an increment is longer.
inline constexpr std::size_t kMaxBackupChanges = 512;

struct BackupIncrement {
  std::string base;           // the generation that it and all before it belong to
  std::vector<Hash> changes;  // objects, in their order
  Timestamp created;
  Timestamp keys_changed;  // keys of that moment or a later one open all of this
  BackupKind kind = BackupKind::kData;
  std::uint64_t log_size = 0;  // entries in the log at that moment
  std::uint64_t n = 1;         // its number, from 1
  Hash previous{};    // SHA-256 of the note before: of increment n - 1, or of the generation
  std::string vault;  // the log's origin
};

// Canonical JSON, one spelling only. Errors of reading: kCorrupted "increment_malformed".
std::string FormatBackupIncrement(const BackupIncrement& increment);
Result<BackupIncrement> ParseBackupIncrement(std::string_view json);

Result<std::string> SignBackupIncrement(const BackupIncrement& increment,
                                        const crypto::SigningKey& key);
// As of a manifest: without a look at the signature, and with one of `trusted` that signed it.
// Errors: those of VerifyDocument and ParseBackupIncrement.
Result<BackupIncrement> ReadBackupIncrement(std::string_view note);
Result<BackupIncrement> VerifyBackupIncrement(std::string_view note,
                                              std::span<const VerifierKey> trusted);

}  // namespace coffer::audit
