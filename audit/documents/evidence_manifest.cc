#include "audit/documents/evidence_manifest.h"

#include <algorithm>

#include "audit/documents/canonical_json.h"
#include "audit/text/hash_text.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kEvidenceFormat = "coffer-evidence-v1";
constexpr EvidenceKind kEvidenceKinds[] = {EvidenceKind::kClient, EvidenceKind::kPrincipal,
                                           EvidenceKind::kRange};

bool ReadFiles(CanonicalReader& in, std::vector<ManifestFile>& files) {
  if (!in.Member("files") || !in.Open()) return false;
  while (!in.Close()) {
    ManifestFile& file = files.emplace_back();
    if (files.size() > kMaxEvidenceEntries + 100 || !in.AnyMember(file.name) || !in.Open() ||
        !in.Hex("sha256", file.sha256) || !in.Number("size", file.size) || !in.Close()) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string FormatManifest(const Manifest& manifest) {
  CanonicalWriter out;
  out.Open().Number("checkpoint_size", manifest.checkpoint_size);
  out.Boolean("complete", manifest.complete).Time("created", manifest.created);
  out.Number("entries", manifest.entries).Member("files").Open();
  for (const ManifestFile& file : manifest.files) {
    out.Member(file.name).Open().Hex("sha256", file.sha256).Number("size", file.size).Close();
  }
  out.Close().Text("format", kEvidenceFormat).OptionalTime("from", manifest.from);
  out.Text("kind", Name(manifest.kind)).Text("log", manifest.log).Text("reason", manifest.reason);
  out.Number("reasons", manifest.reasons).Boolean("reasons_included", manifest.reasons_included);
  out.Text("requested_by", manifest.requested_by).OptionalText("subject", manifest.subject);
  out.OptionalTime("to", manifest.to).Close();
  return out.Take();
}

std::optional<Manifest> ParseManifest(std::string_view text) {
  Manifest manifest;
  CanonicalReader in(text);
  if (!in.Open() || !in.Number("checkpoint_size", manifest.checkpoint_size) ||
      !in.Boolean("complete", manifest.complete) || !in.Time("created", manifest.created) ||
      !in.Number("entries", manifest.entries) || !ReadFiles(in, manifest.files) ||
      !in.Constant("format", kEvidenceFormat) || !in.OptionalTime("from", manifest.from) ||
      !in.OneOf("kind", kEvidenceKinds, manifest.kind) || !in.Text("log", manifest.log) ||
      !in.Text("reason", manifest.reason) || !in.Number("reasons", manifest.reasons) ||
      !in.Boolean("reasons_included", manifest.reasons_included) ||
      !in.Text("requested_by", manifest.requested_by) ||
      !in.OptionalText("subject", manifest.subject) || !in.OptionalTime("to", manifest.to) ||
      !in.Close() || !in.AtEnd() || FormatManifest(manifest) != text) {
    return std::nullopt;
  }
  const auto not_less =
      std::ranges::adjacent_find(manifest.files, std::ranges::greater_equal{}, &ManifestFile::name);
  if (not_less != manifest.files.end()) return std::nullopt;
  return manifest;
}

std::string ManifestStatement(std::string_view log, std::string_view manifest) {
  std::string out(kEvidenceFormat);
  out.append("\n").append(log).append("\n");
  AppendHex(crypto::Sha256(crypto::AsBytes(manifest)), out);
  return out.append("\n");
}

std::string FormatReason(const ReasonLine& reason) {
  CanonicalWriter out;
  out.Open().Hex("salt", reason.note.salt).Number("seq", reason.seq);
  out.Text("text", reason.note.text).Close();
  return out.Take();
}

std::optional<ReasonLine> ParseReason(std::string_view line) {
  ReasonLine reason;
  CanonicalReader in(line);
  if (!in.Open() || !in.Hex("salt", reason.note.salt) || !in.Number("seq", reason.seq) ||
      !in.Text("text", reason.note.text) || !in.Close() || !in.AtEnd() ||
      FormatReason(reason) != line) {
    return std::nullopt;
  }
  return reason;
}

}  // namespace coffer::audit
