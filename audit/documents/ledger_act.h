// Acts that protect, and acts that take protection back, as the ledger (erasure_ledger.h) has them
// in lines of their own:
//
//   { "act": id, ["client": id,] "kind": KIND, "log_seq": N, "n": N, "object": OBJECT,
//     "prev": hex, ["sealed": base64,] "ts": time, "v": 2, "vault": id }
//
// `object` is an id, or the name of a role, class or purpose; `client` stands where the object is
// one of a client. Everything else that has to be known to put the act in force again is sealed:
// what a line shows is what, of which object, and when.
//
// The last line about an object counts. What each kind means for a restored vault is in
// vault/deletion/act_replay.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/documents/canonical_json.h"
#include "audit/text/clock.h"
#include "crypto/bytes.h"

namespace coffer::audit {

enum class ActKind : std::uint8_t {
  kHoldPlaced,
  kHoldLifted,
  kRestrictionPlaced,
  kRestrictionLifted,
  kTokenEnded,
  kPrincipalDisabled,
  kPrincipalEnabled,
  kPrincipalRole,
  kPrincipalCertificates,
  kUserCredentials,
  kTeamMembers,
  kRolePut,
  kAssignmentEnded,
  kAssignmentGiven,
  kLeaseEnded,
  kApprovalClosed,
  kConsentWithdrawn,
  kConsentRequired,
  kConsentNotRequired,
};
inline constexpr int kActKindCount = static_cast<int>(ActKind::kConsentNotRequired) + 1;

std::string_view Name(ActKind kind);  // "hold.placed"
std::optional<ActKind> ActKindFromName(std::string_view name);
// False: it takes protection back, and no restored vault does it again.
bool Protects(ActKind kind);
// The kind that stands for all those that are about one thing of an object, of which the last one
// counts: kHoldPlaced for kHoldLifted.
ActKind SubjectOf(ActKind kind);

struct LedgerAct {
  std::string vault;   // id
  std::string act;     // "act_…"
  std::string client;  // "cli_…", or empty
  ActKind kind = ActKind::kHoldPlaced;
  std::string object;
  crypto::Bytes sealed;
  std::uint64_t log_seq = 0;  // the entry of what was done
  Timestamp ts;
  bool operator==(const LedgerAct&) const = default;
};

inline constexpr std::size_t kMaxSealedAct = 44UZ * 1024;

// "" or what no line can say.
std::string ProblemOf(const LedgerAct& act);

// The line's document, at its place in the chain.
std::string FormatLedgerAct(const LedgerAct& act, std::uint64_t n, const crypto::Hash& prev);
// `in` stands behind the opening brace. False: it is none, or of a kind that this version does not
// know.
bool ReadLedgerAct(CanonicalReader& in, LedgerAct& act, std::uint64_t& n, crypto::Hash& prev);

}  // namespace coffer::audit
