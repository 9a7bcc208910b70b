#include "audit/entries/entry.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "audit/entries/entry_limits.h"
#include "audit/text/decimal.h"
#include "audit/text/hash_text.h"
#include "audit/text/json_string.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

// Each writes a member and the comma behind it; the last comma becomes the closing brace. `name` is
// the member's name in quotes with its colon.

void AppendText(std::string_view name, std::string_view value, std::string& out,
                std::size_t most = kMaxStringBytes) {
  if (value.empty()) return;
  out.append(name);
  AppendJsonString(value, most, out);
  out.push_back(',');
}

void AppendNumber(std::string_view name, std::uint64_t value, std::string& out) {
  out.append(name);
  AppendDecimal(std::min(value, kMaxNumber), out);
  out.push_back(',');
}

void AppendHash(std::string_view name, const crypto::Hash& hash, std::string& out) {
  out.append(name);
  out.push_back('"');
  AppendHex(hash, out);
  out.append("\",");
}

void AppendFields(const std::vector<std::string>& fields, std::string& out) {
  if (fields.empty()) return;
  // Leaving names out would let a reading of many fields hide some of them.
  if (fields.size() > kMaxFieldNames) std::abort();
  out.append("\"fields\":[");
  for (const std::string& field : fields) {
    AppendJsonString(field, kMaxFieldNameBytes, out);
    out.push_back(',');
  }
  out.back() = ']';
  out.push_back(',');
}

}  // namespace

std::string_view Name(ActorKind kind) {
  switch (kind) {
    case ActorKind::kUnknown:
      return "unknown";
    case ActorKind::kUser:
      return "user";
    case ActorKind::kService:
      return "service";
    case ActorKind::kSystem:
      return "system";
  }
  std::abort();
}

std::string_view Name(Decision decision) {
  switch (decision) {
    case Decision::kAllow:
      return "allow";
    case Decision::kDeny:
      return "deny";
  }
  std::abort();
}

void AppendCanonical(const Entry& entry, std::string& out) {
  out.push_back('{');
  AppendText("\"action\":", entry.action, out);
  AppendText("\"actor\":", entry.actor, out);
  if (entry.actor_kind != ActorKind::kUnknown) {
    AppendText("\"actor_kind\":", Name(entry.actor_kind), out);
  }
  AppendText("\"address\":", entry.address, out);
  AppendText("\"auth\":", entry.auth, out, kMaxFieldNameBytes);
  AppendText("\"class\":", entry.class_name, out);
  AppendText("\"client\":", entry.client, out);
  AppendText("\"decision\":", Name(entry.decision), out);
  AppendText("\"detail\":", entry.detail, out);
  AppendFields(entry.fields, out);
  AppendText("\"log\":", entry.log, out);
  if (entry.note_hash) AppendHash("\"note_hash\":", *entry.note_hash, out);
  AppendText("\"outcome\":", entry.outcome, out);
  if (entry.payload_hash) AppendHash("\"payload_hash\":", *entry.payload_hash, out);
  AppendHash("\"prev\":", entry.prev, out);
  AppendText("\"purpose\":", entry.purpose, out);
  AppendText("\"record\":", entry.record, out);
  AppendText("\"request\":", entry.request, out);
  AppendText("\"rule\":", entry.rule, out);
  AppendNumber("\"seq\":", entry.seq, out);
  if (entry.skew_ms > 0) {
    AppendNumber("\"skew_ms\":", static_cast<std::uint64_t>(entry.skew_ms), out);
  }
  if (entry.state_hash) AppendHash("\"state_hash\":", *entry.state_hash, out);
  std::array<char, kTimestampBytes> ts;
  WriteTimestamp(entry.ts, ts.data());
  out.append("\"ts\":\"");
  out.append(ts.data(), ts.size());
  out.append("\",\"v\":1,");
  if (entry.version != 0) AppendNumber("\"version\":", entry.version, out);
  out.back() = '}';
}

crypto::Hash NoteCommitment(const crypto::Hash& salt, std::string_view text) {
  using std::string_view_literals::operator""sv;
  return crypto::Sha256({crypto::AsBytes("coffer-note-v1\0"sv), salt, crypto::AsBytes(text)});
}

}  // namespace coffer::audit
