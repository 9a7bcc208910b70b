#include "audit/documents/backup_manifest.h"

#include <algorithm>

#include "audit/documents/canonical_json.h"
#include "audit/documents/signed_document.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kBackupFormat = "coffer-backup-v1";

bool ReadFiles(CanonicalReader& in, std::vector<BackupFile>& files) {
  return in.List("files", kMaxBackupFiles, [&] {
    BackupFile& file = files.emplace_back();
    return in.Open() && in.Text("name", file.name) && in.Hex("object", file.object) &&
           in.Boolean("paged", file.paged) && in.Number("size", file.size) && in.Close();
  });
}

}  // namespace

std::string_view Name(BackupKind kind) { return kind == BackupKind::kData ? "data" : "keys"; }

std::string FormatBackupManifest(const BackupManifest& manifest) {
  CanonicalWriter out;
  out.Open().Time("created", manifest.created);
  out.List("files", manifest.files, [&](const BackupFile& file) {
    out.Open().Text("name", file.name).Hex("object", file.object).Boolean("paged", file.paged);
    out.Number("size", file.size).Close();
  });
  out.Text("generation", manifest.generation).Text("kind", Name(manifest.kind));
  out.Number("log_size", manifest.log_size).Text("vault", manifest.vault).Close();
  return out.Take();
}

Result<BackupManifest> ParseBackupManifest(std::string_view json) {
  BackupManifest manifest;
  CanonicalReader in(json);
  const auto later = [](const BackupFile& a, const BackupFile& b) { return a.name >= b.name; };
  if (!in.Open() || !in.Time("created", manifest.created) || !ReadFiles(in, manifest.files) ||
      !in.Text("generation", manifest.generation) ||
      !in.OneOf("kind", kBackupKinds, manifest.kind) || !in.Number("log_size", manifest.log_size) ||
      !in.Text("vault", manifest.vault) || !in.Close() || !in.AtEnd() ||
      std::ranges::adjacent_find(manifest.files, later) != manifest.files.end() ||
      FormatBackupManifest(manifest) != json) {
    return Fail(Code::kCorrupted, "manifest_malformed");
  }
  return manifest;
}

Result<std::string> SignBackupManifest(const BackupManifest& manifest,
                                       const crypto::SigningKey& key) {
  return SignDocument(kBackupFormat, FormatBackupManifest(manifest), manifest.vault, key);
}

Result<BackupManifest> ReadBackupManifest(std::string_view note) {
  COFFER_ASSIGN(const auto json, DocumentIn(note, kBackupFormat));
  return ParseBackupManifest(json);
}

Result<BackupManifest> VerifyBackupManifest(std::string_view note,
                                            std::span<const VerifierKey> trusted) {
  COFFER_TRY(VerifyDocument(note, kBackupFormat, trusted));
  return ReadBackupManifest(note);
}

}  // namespace coffer::audit
