// What persons ask of who keeps their data, and what became of it (GDPR 12 and 15 to 22, 152-FZ 14,
// 20 and 21, PIPL 44 to 50, CCPA 1798.100 to 1798.130).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/encoding.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/rights/regime.h"
#include "vault/rights/request_clock.h"

namespace coffer::vault {

// kReceived to kInProgress wait for an answer. From kAnswered, kRefused and kWithdrawn a request
// can be taken up again; kClosed is the end.
enum class RequestState : std::uint8_t {
  kReceived,
  kIdentityChecking,
  kAccepted,
  kInProgress,
  kAnswered,
  kRefused,
  kWithdrawn,
  kClosed,
};
inline constexpr std::size_t kRequestStates = 8;
inline constexpr bool IsOpen(RequestState state) { return state <= RequestState::kInProgress; }

enum class StepKind : std::uint8_t {
  kRegister,
  kAcknowledge,    // the receipt was confirmed
  kCheckIdentity,  // who asks is not sure yet
  kAccept,         // it is known who asks, and of which client
  kStart,
  kExtend,
  kAnswer,
  kRefuse,
  kWithdraw,  // by who asked
  kClose,
  kReopen,
  kNote,
  kRecompute,  // by the vault: the regime is another one
};
inline constexpr std::size_t kStepKinds = 13;

std::string_view NameOf(RequestState state);  // "identity_checking"
std::string_view NameOf(StepKind kind);       // "check_identity"
std::optional<RequestState> RequestStateFromName(std::string_view name);
std::optional<StepKind> StepKindFromName(std::string_view name);

// How a request came.
inline constexpr std::string_view kChannels[] = {"email", "in_person", "letter",
                                                 "phone", "portal",    "other"};

// What was registered.
struct RequestForm {
  RequestKind kind = RequestKind::kQuestion;
  std::string regime;
  std::string channel;
  Timestamp received;
  std::optional<Day> received_day;       // in the place of `received`: in the regime's time zone
  std::optional<ClientId> client;        // once it is known
  std::string authority;                 // of a representative: how it was shown; empty: the client
  std::string words;                     // the request's own
  std::vector<std::string> attachments;  // references to where they are
};

// A log entry that shows that what was asked for was done.
struct Proof {
  std::uint64_t seq = 0;
  std::string action;
};

// What people say with a step. What may and must be said depends on the step: docs/requests.md.
struct StepForm {
  StepKind kind = StepKind::kNote;
  std::optional<ClientId> client;
  std::string words, letter, article;
  std::vector<std::uint64_t> entries;  // numbers in the log
  std::optional<ErasureId> erasure;
  bool together = false;  // the client's other open requests of the same kind too
};

struct RequestStep {
  std::uint64_t number = 1;  // in its request
  StepKind kind = StepKind::kRegister;
  Timestamp at;
  std::optional<PrincipalId> by;  // absent: the vault
  std::uint64_t seq = 0;          // the log's entry about it
  std::string article;
  std::vector<Proof> proofs;
  std::optional<Timestamp> due;  // as it is computed from here on; absent: nothing is counted
  crypto::Bytes sealed;          // as stored; empty: nothing was said, or it went with the client
  std::string words, letter;     // of all steps; once they are opened
  std::string authority;         // of kRegister
  std::vector<std::string> attachments;
};

struct RequestRow {
  RequestId id;
  std::optional<ClientId> client;
  RequestKind kind = RequestKind::kQuestion;
  std::string regime;
  std::uint64_t regime_version = 0;
  std::string channel;
  bool by_representative = false;
  RequestState state = RequestState::kReceived;
  Timestamp received, registered;
  std::optional<Timestamp> acknowledged, extended, decided, closed;
  std::uint64_t seq = 0;  // of the entry that registered it
  std::uint64_t steps = 1;
  // What is due next, and until when the answer is; absent: nothing is counted now.
  std::optional<Timestamp> next_due, due;
  Day last_day = 0;
};

enum class Standing : std::uint8_t {
  kOnTime,
  kDueSoon,  // within seven days
  kDueToday,
  kOverdue,
  kPaused,  // nothing is counted until it is known who asks
  kInTime,  // decided before it was due
  kLate,    // decided afterwards
};
std::string_view NameOf(Standing standing);  // "due_soon"

// What a request says in words is for who answers it. kGone: what was said before its client was
// erased is gone. kUnreadable: some of it does not open.
enum class SaidInWords : std::uint8_t { kShown, kHidden, kGone, kUnreadable };

struct Request {
  RequestRow row;
  Standing standing = Standing::kOnTime;
  // Of one that is read alone.
  Day received_day = 0;  // in the regime's time zone
  std::vector<RequestStep> steps;
  std::vector<RequestId> duplicates;  // other open requests of the client for the same
  std::vector<StepKind> possible;     // those that it can take now
  std::vector<HoldId> holds;          // what keeps its client from being erased
  SaidInWords said = SaidInWords::kShown;
};

}  // namespace coffer::vault
