#include "audit/documents/ledger_act.h"

#include <algorithm>

#include "audit/documents/ids.h"
#include "audit/entries/entry_limits.h"
#include "crypto/encoding.h"

namespace coffer::audit {
namespace {

constexpr std::size_t kMaxActObject = 64;
constexpr std::uint64_t kActLineVersion = 2;

struct ActKindRow {
  ActKind kind;
  std::string_view name;
  bool protects;
  ActKind subject;
};

constexpr std::array<ActKindRow, kActKindCount> kActKinds = {{
    {ActKind::kHoldPlaced, "hold.placed", true, ActKind::kHoldPlaced},
    {ActKind::kHoldLifted, "hold.lifted", false, ActKind::kHoldPlaced},
    {ActKind::kRestrictionPlaced, "restriction.placed", true, ActKind::kRestrictionPlaced},
    {ActKind::kRestrictionLifted, "restriction.lifted", false, ActKind::kRestrictionPlaced},
    {ActKind::kTokenEnded, "token.ended", true, ActKind::kTokenEnded},
    {ActKind::kPrincipalDisabled, "principal.disabled", true, ActKind::kPrincipalDisabled},
    {ActKind::kPrincipalEnabled, "principal.enabled", false, ActKind::kPrincipalDisabled},
    {ActKind::kPrincipalRole, "principal.role", true, ActKind::kPrincipalRole},
    {ActKind::kPrincipalCertificates, "principal.certificates", true,
     ActKind::kPrincipalCertificates},
    {ActKind::kUserCredentials, "user.credentials", true, ActKind::kUserCredentials},
    {ActKind::kTeamMembers, "team.members", true, ActKind::kTeamMembers},
    {ActKind::kRolePut, "role.put", true, ActKind::kRolePut},
    {ActKind::kAssignmentEnded, "assignment.ended", true, ActKind::kAssignmentEnded},
    {ActKind::kAssignmentGiven, "assignment.given", false, ActKind::kAssignmentEnded},
    {ActKind::kLeaseEnded, "lease.ended", true, ActKind::kLeaseEnded},
    {ActKind::kApprovalClosed, "approval.closed", true, ActKind::kApprovalClosed},
    {ActKind::kConsentWithdrawn, "consent.withdrawn", true, ActKind::kConsentWithdrawn},
    {ActKind::kConsentRequired, "consent.required", true, ActKind::kConsentRequired},
    {ActKind::kConsentNotRequired, "consent.not-required", false, ActKind::kConsentRequired},
}};

constexpr bool ActKindsInOrder() {
  for (std::size_t i = 0; i < kActKinds.size(); ++i) {
    if (static_cast<std::size_t>(kActKinds[i].kind) != i) return false;
  }
  return true;
}
static_assert(ActKindsInOrder(), "kActKinds is indexed by the enumerator");

const ActKindRow& RowOf(ActKind kind) { return kActKinds[static_cast<std::size_t>(kind)]; }

// An id, or the name of a document. Neither can be a person's.
bool IsActObject(std::string_view text) {
  return !text.empty() && text.size() <= kMaxActObject && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

std::string_view Name(ActKind kind) { return RowOf(kind).name; }

std::optional<ActKind> ActKindFromName(std::string_view name) {
  const auto found = std::ranges::find(kActKinds, name, &ActKindRow::name);
  return found == kActKinds.end() ? std::nullopt : std::optional(found->kind);
}

bool Protects(ActKind kind) { return RowOf(kind).protects; }

ActKind SubjectOf(ActKind kind) { return RowOf(kind).subject; }

std::string ProblemOf(const LedgerAct& act) {
  if (!IsId(act.vault, kNoPrefix)) return "the vault's id is none";
  if (!IsId(act.act, kActPrefix)) return "the act's id is none";
  if (!act.client.empty() && !IsId(act.client, kClientPrefix)) return "the client's id is none";
  if (!IsActObject(act.object)) return "the object is none";
  if (act.sealed.size() > kMaxSealedAct) return "what is sealed is too much for a line";
  if (act.log_seq > kMaxNumber) return "a number is too large";
  const auto ts = ParseTimestamp(FormatTimestamp(act.ts));
  return ts && *ts == act.ts ? "" : "the time is outside the calendar";
}

std::string FormatLedgerAct(const LedgerAct& act, std::uint64_t n, const crypto::Hash& prev) {
  CanonicalWriter out;
  out.Open().Text("act", act.act).OptionalText("client", act.client).Text("kind", Name(act.kind));
  out.Number("log_seq", act.log_seq).Number("n", n).Text("object", act.object).Hex("prev", prev);
  out.OptionalText("sealed", crypto::Base64Encode(act.sealed)).Time("ts", act.ts);
  out.Number("v", kActLineVersion).Text("vault", act.vault).Close();
  return out.Take();
}

bool ReadLedgerAct(CanonicalReader& in, LedgerAct& act, std::uint64_t& n, crypto::Hash& prev) {
  std::string kind, sealed;
  std::uint64_t version = 0;
  if (!in.Text("act", act.act) || !in.OptionalText("client", act.client) ||
      !in.Text("kind", kind) || !in.Number("log_seq", act.log_seq) || !in.Number("n", n) ||
      !in.Text("object", act.object) || !in.Hex("prev", prev) ||
      !in.OptionalText("sealed", sealed) || !in.Time("ts", act.ts) || !in.Number("v", version) ||
      !in.Text("vault", act.vault) || !in.Close()) {
    return false;
  }
  const auto known = ActKindFromName(kind);
  auto bytes = crypto::Base64Decode(sealed);
  if (!known || !bytes || version != kActLineVersion) return false;
  act.kind = *known;
  act.sealed = *std::move(bytes);
  return in.AtEnd();
}

}  // namespace coffer::audit
