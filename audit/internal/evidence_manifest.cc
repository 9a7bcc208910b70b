#include "audit/internal/evidence_manifest.h"

#include <algorithm>
#include <limits>

#include "audit/internal/decimal.h"
#include "audit/internal/entry_limits.h"
#include "audit/internal/hash_text.h"
#include "audit/internal/json_string.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kEvidenceFormat = "coffer-evidence-v1";
constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

// Reads literals and values from the front. As in ParseEntry, what it lets through beyond the one
// spelling is refused by comparing with what would be written.
class JsonFront {
 public:
  explicit JsonFront(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  bool Take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  bool Text(std::string_view name, std::string& out) { return Take(name) && String(out); }
  bool Number(std::string_view name, std::uint64_t& out) {
    if (!Take(name)) return false;
    const auto digits = rest_.substr(0, rest_.find_first_not_of("0123456789"));
    const auto value = ParseDecimal(digits);
    if (!value || *value > kMaxNumber) return false;
    out = *value;
    rest_.remove_prefix(digits.size());
    return true;
  }
  bool Boolean(std::string_view name, bool& out) {
    if (!Take(name)) return false;
    out = Take("true");
    return out || Take("false");
  }
  bool HexHash(std::string_view name, Hash& out) {
    if (!Take(name) || !Take("\"") || !ParseHex(rest_.substr(0, 64), out)) return false;
    rest_.remove_prefix(64);
    return Take("\"");
  }
  bool Time(std::string_view name, Timestamp& out) {
    std::string text;
    if (!Text(name, text)) return false;
    const auto time = ParseTimestamp(text);
    if (time) out = *time;
    return time.has_value();
  }
  bool OptionalTime(std::string_view name, std::optional<Timestamp>& out) {
    return !rest_.starts_with(name) || (Time(name, out.emplace()) && Take(","));
  }
  bool Kind(std::string_view name, EvidenceKind& out) {
    std::string text;
    if (!Text(name, text)) return false;
    for (const auto kind :
         {EvidenceKind::kClient, EvidenceKind::kPrincipal, EvidenceKind::kRange}) {
      out = kind;
      if (Name(kind) == text) return true;
    }
    return false;
  }
  bool String(std::string& out) {
    if (!Take("\"")) return false;
    const auto read = ReadJsonString(rest_, out);
    if (read) rest_.remove_prefix(*read);
    return read.has_value();
  }

 private:
  std::string_view rest_;
};

bool ReadFiles(JsonFront& in, std::vector<ManifestFile>& files) {
  if (!in.Take("\"files\":{")) return false;
  if (in.Take("}")) return true;
  do {
    ManifestFile& file = files.emplace_back();
    if (files.size() > kMaxEvidenceEntries + 100 || !in.String(file.name) ||
        !in.HexHash(":{\"sha256\":", file.sha256) || !in.Number(",\"size\":", file.size) ||
        !in.Take("}")) {
      return false;
    }
  } while (in.Take(","));
  return in.Take("}");
}

void AppendJsonTime(std::string_view name, Timestamp time, std::string& out) {
  out.append(name).append("\"").append(FormatTimestamp(time)).append("\",");
}

void AppendJsonText(std::string_view name, std::string_view text, std::string& out) {
  out.append(name);
  AppendJsonString(text, kUnlimited, out);
  out.push_back(',');
}

void AppendJsonCount(std::string_view name, std::uint64_t number, std::string& out) {
  out.append(name);
  AppendDecimal(number, out);
  out.push_back(',');
}

}  // namespace

std::string FormatManifest(const Manifest& manifest) {
  std::string out = "{";
  AppendJsonCount("\"checkpoint_size\":", manifest.checkpoint_size, out);
  out.append("\"complete\":").append(manifest.complete ? "true," : "false,");
  AppendJsonTime("\"created\":", manifest.created, out);
  AppendJsonCount("\"entries\":", manifest.entries, out);
  out.append("\"files\":{");
  for (const ManifestFile& file : manifest.files) {
    AppendJsonString(file.name, kUnlimited, out);
    out.append(":{\"sha256\":\"");
    AppendHex(file.sha256, out);
    out.append("\",\"size\":");
    AppendDecimal(file.size, out);
    out.append("},");
  }
  if (!manifest.files.empty()) out.pop_back();
  out.append("},");
  AppendJsonText("\"format\":", kEvidenceFormat, out);
  if (manifest.from) AppendJsonTime("\"from\":", *manifest.from, out);
  AppendJsonText("\"kind\":", Name(manifest.kind), out);
  AppendJsonText("\"log\":", manifest.log, out);
  AppendJsonText("\"reason\":", manifest.reason, out);
  AppendJsonCount("\"reasons\":", manifest.reasons, out);
  out.append("\"reasons_included\":").append(manifest.reasons_included ? "true," : "false,");
  AppendJsonText("\"requested_by\":", manifest.requested_by, out);
  if (!manifest.subject.empty()) AppendJsonText("\"subject\":", manifest.subject, out);
  if (manifest.to) AppendJsonTime("\"to\":", *manifest.to, out);
  out.back() = '}';
  return out;
}

std::optional<Manifest> ParseManifest(std::string_view text) {
  Manifest manifest;
  std::string format;
  JsonFront in(text);
  if (!in.Number("{\"checkpoint_size\":", manifest.checkpoint_size) ||
      !in.Boolean(",\"complete\":", manifest.complete) ||
      !in.Time(",\"created\":", manifest.created) ||
      !in.Number(",\"entries\":", manifest.entries) || !in.Take(",") ||
      !ReadFiles(in, manifest.files) || !in.Text(",\"format\":", format) || !in.Take(",") ||
      format != kEvidenceFormat || !in.OptionalTime("\"from\":", manifest.from) ||
      !in.Kind("\"kind\":", manifest.kind) || !in.Text(",\"log\":", manifest.log) ||
      !in.Text(",\"reason\":", manifest.reason) || !in.Number(",\"reasons\":", manifest.reasons) ||
      !in.Boolean(",\"reasons_included\":", manifest.reasons_included) ||
      !in.Text(",\"requested_by\":", manifest.requested_by)) {
    return std::nullopt;
  }
  if (in.Take(",\"subject\":") && !in.String(manifest.subject)) return std::nullopt;
  if (in.Take(",\"to\":") && !in.Time("", manifest.to.emplace())) return std::nullopt;
  if (!in.Take("}") || !in.AtEnd() || FormatManifest(manifest) != text) return std::nullopt;
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
  std::string out = "{\"salt\":\"";
  AppendHex(reason.note.salt, out);
  out.append("\",");
  AppendJsonCount("\"seq\":", reason.seq, out);
  AppendJsonText("\"text\":", reason.note.text, out);
  out.back() = '}';
  return out;
}

std::optional<ReasonLine> ParseReason(std::string_view line) {
  ReasonLine reason;
  JsonFront in(line);
  if (!in.HexHash("{\"salt\":", reason.note.salt) || !in.Number(",\"seq\":", reason.seq) ||
      !in.Text(",\"text\":", reason.note.text) || !in.Take("}") || !in.AtEnd() ||
      FormatReason(reason) != line) {
    return std::nullopt;
  }
  return reason;
}

}  // namespace coffer::audit
