// What one generation of a backup consists of, signed by the log's key: a signed note
// (audit/documents/signed_document.h) of the format "coffer-backup-v1". docs/formats.md has it to
// the byte, and what its files are.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/text/clock.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

// A repository has one kind. Client keys lie apart from the data and are kept for days: with both,
// an erased client's data could be read again.
enum class BackupKind : std::uint8_t { kData, kKeys };
std::string_view Name(BackupKind kind);  // "data", "keys"
inline constexpr std::array kBackupKinds{BackupKind::kData, BackupKind::kKeys};

struct BackupFile {
  std::string name;    // in the data directory
  Hash object{};       // SHA-256: of the file, or of the list of its pages
  std::uint64_t size;  // bytes of the file
  bool paged = false;  // a database: `object` is the list of its pages
  bool operator==(const BackupFile&) const = default;
};
inline constexpr std::size_t kMaxBackupFiles = 16;

struct BackupManifest {
  Timestamp created;
  std::vector<BackupFile> files;  // by name
  std::string generation;         // "bkp_…", the same in both repositories of one run
  BackupKind kind = BackupKind::kData;
  std::uint64_t log_size = 0;  // entries in the log at that moment
  std::string vault;           // the log's origin
};

// Canonical JSON, one spelling only. Errors of reading: kCorrupted "manifest_malformed".
std::string FormatBackupManifest(const BackupManifest& manifest);
Result<BackupManifest> ParseBackupManifest(std::string_view json);

Result<std::string> SignBackupManifest(const BackupManifest& manifest,
                                       const crypto::SigningKey& key);
// The manifest in a note, of which no signature is checked; and with one of `trusted` that signed
// it. Errors: those of VerifyDocument and ParseBackupManifest.
Result<BackupManifest> ReadBackupManifest(std::string_view note);
Result<BackupManifest> VerifyBackupManifest(std::string_view note,
                                            std::span<const VerifierKey> trusted);

}  // namespace coffer::audit
