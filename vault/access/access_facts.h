// What is known of a request when it is decided.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/text/clock.h"
#include "vault/base/timestamp.h"
#include "vault/catalog/action.h"
#include "vault/catalog/grant.h"

namespace coffer::vault {

struct ClassSchema;
struct OwnConditions;
struct Purpose;
struct RoleDocument;
struct TokenLimits;

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
  bool gone = false;                          // it is not there, and which tags it had nobody knows
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

}  // namespace coffer::vault
