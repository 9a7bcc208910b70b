#include "vault/backup/restored_copy.h"

#include <algorithm>

#include "audit/documents/canonical_json.h"
#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "crypto/sign.h"
#include "vault/storage/data_directory.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kRestoredFormat = "coffer-restored-v1";
constexpr std::size_t kMaxRestoredBytes = 64 * 1024;

std::string FormatRestoredCopy(const RestoredCopy& copy) {
  audit::CanonicalWriter out;
  out.Open().Time("created", copy.created).Text("format", kRestoredFormat);
  out.Text("generation", copy.generation).Number("increments", copy.increments);
  out.OptionalText("later_keys", copy.later_keys)
      .Hex("ledger_last", copy.ledger.last)
      .Number("ledger_lines", copy.ledger.lines)
      .Number("log_size", copy.log_size)
      .Text("newest_log", copy.newest_log);
  out.Text("repository", copy.repository);
  if (copy.settled) {
    const SettledLog& settled = *copy.settled;
    out.Member("settled").Open();
    if (settled.closed) {
      out.Member("closed").Open().Text("log", settled.closed->origin);
      out.OptionalText("note", settled.closed_note_path).Hex("root", settled.closed->root);
      out.Number("size", settled.closed->size).Close();
    }
    out.Number("kept", settled.kept).Text("log", settled.log).Close();
  }
  out.Text("signature", copy.signature).Close();
  return out.Take() + "\n";
}

std::string SignedText(const RestoredCopy& copy) {
  return std::string(kRestoredFormat) + "\n" + copy.generation + "\n" + copy.later_keys + "\n" +
         std::to_string(copy.ledger.lines) + "\n" + crypto::HexEncode(copy.ledger.last);
}

bool ReadSettled(audit::CanonicalReader& in, RestoredCopy& copy) {
  if (!in.Member("settled")) return true;
  SettledLog& settled = copy.settled.emplace();
  if (!in.Open()) return false;
  if (in.Member("closed")) {
    audit::Checkpoint& closed = settled.closed.emplace();
    if (!in.Open() || !in.Text("log", closed.origin) ||
        !in.OptionalText("note", settled.closed_note_path) || !in.Hex("root", closed.root) ||
        !in.Number("size", closed.size) || !in.Close()) {
      return false;
    }
  }
  return in.Number("kept", settled.kept) && in.Text("log", settled.log) && in.Close();
}

}  // namespace

void RestoredCopy::Sign(const crypto::Keyring& keyring) {
  signature =
      crypto::HexEncode(keyring.log_signing_key()->Sign(crypto::AsBytes(SignedText(*this))));
}

Result<std::vector<audit::VerifierKey>> RestoredCopy::LaterKeys(
    const crypto::Keyring& keyring) const {
  std::vector<audit::VerifierKey> keys;
  const auto bytes = crypto::HexDecode(signature);
  const std::string text = SignedText(*this);
  const bool is_signed = std::ranges::any_of(keyring.log_keys(), [&](const auto& held) {
    return bytes && crypto::VerifySignature(held.key->public_key(), crypto::AsBytes(text), *bytes);
  });
  if (!is_signed) {
    return Fail(Code::kCorrupted, "restored_malformed",
                "no key of its keyring has signed what restored.json says of the ledger and of "
                "later keys of the log");
  }
  for (std::string_view left = later_keys; !left.empty();) {
    const auto end = std::min(left.find(' '), left.size());
    COFFER_ASSIGN(auto key, audit::ParseVerifierKey(left.substr(0, end)));
    keys.push_back(std::move(key));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return keys;
}

Status WriteRestoredCopy(const std::string& directory, const RestoredCopy& copy) {
  return crypto::WriteFileAtomically(RestoredCopyPath(directory),
                                     crypto::AsBytes(FormatRestoredCopy(copy)));
}

Result<std::optional<RestoredCopy>> ReadRestoredCopy(const std::string& directory) {
  const std::string path = RestoredCopyPath(directory);
  const auto bytes = crypto::ReadFile(path, kMaxRestoredBytes);
  if (!bytes && bytes.error().code == Code::kNotFound) return std::nullopt;
  if (!bytes) return std::unexpected(bytes.error());
  const std::string_view text = crypto::AsText(*bytes);
  audit::CanonicalReader in(text.substr(0, text.size() - std::min<std::size_t>(1, text.size())));
  RestoredCopy copy;
  if (!in.Open() || !in.Time("created", copy.created) || !in.Constant("format", kRestoredFormat) ||
      !in.Text("generation", copy.generation) || !in.Number("increments", copy.increments) ||
      !in.OptionalText("later_keys", copy.later_keys) || !in.Hex("ledger_last", copy.ledger.last) ||
      !in.Number("ledger_lines", copy.ledger.lines) || !in.Number("log_size", copy.log_size) ||
      !in.Text("newest_log", copy.newest_log) || !in.Text("repository", copy.repository) ||
      !ReadSettled(in, copy) || !in.Text("signature", copy.signature) || !in.Close() ||
      !in.AtEnd() || FormatRestoredCopy(copy) != text) {
    return Fail(Code::kCorrupted, "restored_malformed", path);
  }
  return copy;
}

Status RemoveRestoredCopy(const std::string& directory) {
  return crypto::RemoveFile(RestoredCopyPath(directory));
}

Status CheckNoCopy(const std::string& directory) {
  COFFER_ASSIGN(const auto copy, ReadRestoredCopy(directory));
  if (!copy) return {};
  return Fail(Code::kConflict, "restored_copy",
              directory +
                  " is a copy that coffer restore made. Where the vault that it was copied from "
                  "runs no more, 'coffer recover' makes it the vault; beside it, it must not run");
}

}  // namespace coffer::vault
