#include "audit/documents/backup_increment.h"

#include "audit/documents/canonical_json.h"
#include "audit/documents/signed_document.h"
#include "crypto/encoding.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kIncrementFormat = "coffer-backup-increment-v1";

}  // namespace

std::string FormatBackupIncrement(const BackupIncrement& increment) {
  CanonicalWriter out;
  out.Open().Text("base", increment.base);
  out.List("changes", increment.changes,
           [&](const Hash& object) { out.String(crypto::HexEncode(object)); });
  out.Time("created", increment.created).Time("keys_changed", increment.keys_changed);
  out.Text("kind", Name(increment.kind)).Number("log_size", increment.log_size);
  out.Number("n", increment.n).Hex("previous", increment.previous);
  out.Text("vault", increment.vault).Close();
  return out.Take();
}

Result<BackupIncrement> ParseBackupIncrement(std::string_view json) {
  BackupIncrement increment;
  CanonicalReader in(json);
  const auto read_object = [&] {
    std::string hex;
    if (!in.String(hex)) return false;
    const auto bytes = crypto::HexDecode(hex);
    Hash& object = increment.changes.emplace_back();
    if (!bytes || bytes->size() != object.size()) return false;
    std::ranges::copy(*bytes, object.begin());
    return true;
  };
  if (!in.Open() || !in.Text("base", increment.base) ||
      !in.List("changes", kMaxBackupChanges, read_object) ||
      !in.Time("created", increment.created) || !in.Time("keys_changed", increment.keys_changed) ||
      !in.OneOf("kind", kBackupKinds, increment.kind) ||
      !in.Number("log_size", increment.log_size) || !in.Number("n", increment.n) ||
      !in.Hex("previous", increment.previous) || !in.Text("vault", increment.vault) ||
      !in.Close() || !in.AtEnd() || increment.n == 0 || FormatBackupIncrement(increment) != json) {
    return Fail(Code::kCorrupted, "increment_malformed");
  }
  return increment;
}

Result<std::string> SignBackupIncrement(const BackupIncrement& increment,
                                        const crypto::SigningKey& key) {
  return SignDocument(kIncrementFormat, FormatBackupIncrement(increment), increment.vault, key);
}

Result<BackupIncrement> ReadBackupIncrement(std::string_view note) {
  COFFER_ASSIGN(const auto json, DocumentIn(note, kIncrementFormat));
  return ParseBackupIncrement(json);
}

Result<BackupIncrement> VerifyBackupIncrement(std::string_view note,
                                              std::span<const VerifierKey> trusted) {
  COFFER_TRY(VerifyDocument(note, kIncrementFormat, trusted));
  return ReadBackupIncrement(note);
}

}  // namespace coffer::audit
