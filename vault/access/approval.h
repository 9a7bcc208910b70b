// What two people decide: asked for by one, approved by another, done once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/hash.h"
#include "vault/access/principal.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// What two people decide: hashed as it is stored, and done once as it was hashed.
struct Proposal {
  std::string action;   // of kTwoPersonActions
  std::string target;   // id or name of what it is about
  std::string content;  // canonical JSON of what will be done; empty where the target says it all
};

enum class ApprovalState {
  kPending,
  kApproved,
  kRejected,
  kExecuted,
  kExpired,
  kWithdrawn,
  kVoid  // it ended with the account, or the role, of who asked or approved
};

std::string_view Name(ApprovalState state);

// Why one ended before it was used. The numbers are stored.
enum class ApprovalEnd : std::uint8_t {
  kWithdrawn = 1,
  kRequesterDisabled = 2,
  kRequesterRole = 3,  // has another role
  kApproverDisabled = 4,
  kApproverRole = 5,  // has another role, or one that may not approve this
  kSamePerson = 6,
  kTargetChanged = 7  // what it was to replace has been replaced since it was asked for
};

std::string_view Name(ApprovalEnd end);

inline constexpr std::string_view kWaysToGive[] = {"certificate", "change", "enrolment", "rotation",
                                                   "service",     "token",  "user"};

// An account that is there, for who is asked to open a further way into it.
struct AccountWays {
  PrincipalInfo principal;
  std::uint64_t tokens = 0, sessions = 0;  // that can be used now
  bool enrolment = false;                  // a code that sets its password can be used now
};

// With which words it was asked for. Those of the reason are for who may decide it, who asked, and
// who may read reasons.
struct ApprovalQuestion {
  std::string login, name;  // of who asked: login is empty for a service
  std::string ticket, reason;
};

struct ApprovalPreview;  // what it would do: the room that does it knows
struct Approval {
  ApprovalId id;
  Proposal proposal;
  crypto::Hash hash{};
  ApprovalState state = ApprovalState::kPending;
  PrincipalId requester;
  Timestamp created, expires;
  std::optional<PrincipalId> decider;
  std::optional<Timestamp> decided, executed;
  std::optional<Timestamp> ended = {};       // without having been used
  std::optional<PrincipalId> ended_by = {};  // of one that was withdrawn
  std::optional<ApprovalEnd> end = {};
  std::optional<AccountWays> account = {};  // as it is now; not in lists
  // Where one approval is looked at.
  std::optional<ApprovalQuestion> question = {};
  std::shared_ptr<const ApprovalPreview> preview = {};  // of one that is open
};

}  // namespace coffer::vault
