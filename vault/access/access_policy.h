// Who may do what: the actions, and the one function that decides. Pure over its arguments, called
// inside the engine's transaction, so that a revocation counts from the next request on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/text/clock.h"
#include "crypto/result.h"
#include "vault/base/timestamp.h"
#include "vault/catalog/action.h"
#include "vault/catalog/role.h"

namespace coffer::vault {

struct ClassSchema;
struct Field;
struct Grant;
struct OwnConditions;
struct Purpose;
struct RoleDocument;
struct TokenLimits;
enum class View : std::uint8_t;

// One client, chosen fields of one class, one purpose, until a time: given to one principal by
// somebody who answers for it, under a ticket. Emergency access is the same, of all there is, taken
// by the principal alone and reviewed afterwards.
struct LeaseTerms {
  std::string id;                   // lease_… or emg_…
  std::string class_name;           // empty: every class
  std::vector<std::string> fields;  // sorted; empty: every field
  std::string purpose;
  audit::Timestamp expires;
  bool emergency = false;
  std::shared_ptr<const OwnConditions> own = {};  // null: the conditions of its holder's role count

  bool CoversClass(std::string_view name) const { return class_name.empty() || class_name == name; }
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
  // When the principal was known: its role, what its token is limited to, and what is wrong with
  // what it showed ("token-expired"), empty when nothing is.
  bool authenticated = false;
  std::string_view credential_fault;
  const RoleDocument* role = nullptr;
  const TokenLimits* limits = nullptr;
  audit::Timestamp now;
  std::string_view purpose;             // as given; empty when none was
  const Purpose* registered = nullptr;  // what the register says of it
  std::string_view address;             // of the caller; empty when it cannot be said
  bool reason_given = false;
  bool ticket_given = false;
  bool certificate_shown = false;
  std::optional<audit::Timestamp> second_factor;  // when it was last given
  Reveals revealed;  // before this one: of earlier requests, and by this one so far
  const ClassSchema* record_class = nullptr;  // when the request is about a class
  const ClientFacts* client = nullptr;        // when it is about a client
};

// One that is for this request, but for a condition that is not met.
struct ClosedLease {
  const LeaseTerms* lease = nullptr;
  std::string_view reason;  // what the caller would be told
};

struct AccessDecision {
  bool allowed = false;
  std::string rule;  // "role:crm-service" or "lease:…" that allowed, "check:purpose" that refused
  Error error;       // meaningful when refused
  std::vector<const Grant*> grants;       // that match, denials of fields among them
  std::vector<const LeaseTerms*> leases;  // that match
  std::vector<ClosedLease> closed_leases;
  // No client was named, and a denial holds for some: nothing that reaches many at once may be
  // done.
  bool denied_for_some = false;
};

AccessDecision Decide(const AccessFacts& facts);

// What the decision's grants and leases show of each field of `schema`, in the order of its fields.
// All of them kNone: records of this class are not there for the caller.
std::vector<View> ViewsOf(const AccessDecision& decision, const ClassSchema& schema);
// How it shows the client's reference, which is personal and of no class. `searched`: only what is
// about every class and field may find by it.
View ReferenceViewOf(const AccessDecision& decision, bool searched);
// The same decision without what is limited by a budget.
AccessDecision WithoutBudgets(AccessDecision decision);
// True when every field of every class is shown plainly; then there is nothing to work out.
bool ShowsEverything(const AccessDecision& decision);

}  // namespace coffer::vault
