// Who may do what: the actions, and the one function that decides. Pure over its arguments, called
// inside the engine's transaction, so that a revocation counts from the next request on.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/clock.h"
#include "crypto/result.h"

namespace coffer::vault {

enum class Action {
  kClientCreate,
  kClientRead,
  kClientUpdate,
  kClientList,
  kClientSearch,
  kClientErase,
  kRecordCreate,
  kRecordRead,
  kRecordList,
  kRecordUpdate,
  kRecordDelete,
  kRecordImport,
  kClassRead,
  kClassWrite,
  kPurposeRead,
  kPurposeWrite,
  kTokenCreate,
  kTokenList,
  kTokenRevoke,
  kRoleRead,
  kRoleWrite,
  kAssignmentRead,
  kAssignmentWrite,
  kLeaseRead,
  kLeaseWrite,
  kAccessExplain,
  kLogRead,
  kLogVerify,
  kNoteRead,
  kStatusRead,
  kMetricsRead,
  kSelfRead,
};
inline constexpr int kActionCount = static_cast<int>(Action::kSelfRead) + 1;

std::string_view Name(Action action);  // "record.read": the word in the log
std::optional<Action> ActionFromName(std::string_view name);
// True for actions that disclose or change client data: they need a purpose.
bool TouchesClientData(Action action);

struct ClassSchema;
struct Field;
struct Grant;
struct RoleDocument;
enum class View : std::uint8_t;

// One client, chosen fields of one class, one purpose, until a time: given to one principal by
// somebody who answers for it, under a ticket.
struct LeaseTerms {
  std::string id;  // lease_…
  std::string class_name;
  std::vector<std::string> fields;  // sorted; never empty
  std::string purpose;
  audit::Timestamp expires;
};

// What is known of the client that a request is about. Nothing is known of one that is not there:
// so it answers like one that is out of scope.
struct ClientFacts {
  bool assigned = false;                      // to the caller, at this moment
  std::string_view tags;                      // sorted, separated by single spaces
  std::span<const LeaseTerms* const> leases;  // of the caller on this client, expired ones too
};

// What is known of one request when it is decided.
struct AccessFacts {
  Action action{};
  // When the credential was known: its principal's role, and the token's state at this moment.
  const RoleDocument* role = nullptr;
  bool authenticated = false;
  bool token_revoked = false;
  audit::Timestamp token_expires;
  audit::Timestamp now;
  std::string_view purpose;  // as given; empty when none was
  bool purpose_registered = false;
  std::string_view address;  // of the caller; empty when it cannot be said
  bool reason_given = false;
  bool ticket_given = false;
  const ClassSchema* record_class = nullptr;  // when the request is about a class
  const ClientFacts* client = nullptr;        // when it is about a client
};

struct AccessDecision {
  bool allowed = false;
  std::string rule;  // "role:crm-service" or "lease:…" that allowed, "check:purpose" that refused
  Error error;       // meaningful when refused
  std::vector<const Grant*> grants;       // that match, denials of fields among them
  std::vector<const LeaseTerms*> leases;  // that match
};

AccessDecision Decide(const AccessFacts& facts);

// What the decision's grants and leases show of each field of `schema`, in the order of its fields.
// All of them kNone: records of this class are not there for the caller.
std::vector<View> ViewsOf(const AccessDecision& decision, const ClassSchema& schema);
// True when every field of every class is shown plainly; then there is nothing to work out.
bool ShowsEverything(const AccessDecision& decision);

}  // namespace coffer::vault
