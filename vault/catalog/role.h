// A role: what its holders may do, with which clients, classes and fields, for what, and how
// plainly they see it. Everything that no grant allows is refused; a denial wins over every grant.
//
//   {"name": "case-worker", "title": "…", "grants": [
//     {"actions": ["record.read", "record.list"], "scope": "assigned", "view": "masked",
//      "sensitivity": ["special"], "purposes": ["client-care"],
//      "conditions": {"ticket": true, "budget": {"hour": 100, "day": 500}}},
//     {"deny": true, "actions": ["record.read"], "classes": ["payment-detail"]}]}
//
// docs/formats.md has the grammar. Unknown members are refused.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/base/network.h"
#include "vault/base/time_window.h"
#include "vault/catalog/action.h"
#include "vault/catalog/class_schema.h"
#include "vault/catalog/mask.h"

namespace coffer::vault {

// Records of which a field was shown plainly to a principal: in this hour and on this day (UTC).
struct Reveals {
  std::uint64_t hour = 0, day = 0;
};
// How many there may be; 0: any number.
struct RevealBudget {
  std::uint64_t hour = 0, day = 0;

  bool Allows(const Reveals& reveals) const {
    return (hour == 0 || reveals.hour <= hour) && (day == 0 || reveals.day <= day);
  }
  bool limited() const { return hour != 0 || day != 0; }
};

// Which clients a grant is about. Outside of it a client does not exist for the caller.
struct Scope {
  enum class Kind { kAll, kAssigned, kTag };
  Kind kind = Kind::kAll;
  std::string tag;  // kTag
};

// What must be true of the request besides; what cannot be evaluated refuses.
struct Conditions {
  bool reason = false;            // Coffer-Reason must be given
  bool ticket = false;            // Coffer-Ticket must be given
  std::vector<Network> networks;  // the caller's address is in one of them; empty: anywhere
  std::optional<TimeWindow> hours;
  bool certificate = false;                // a client certificate must be shown
  std::int64_t second_factor_minutes = 0;  // a second factor given within these; 0: none needed
  RevealBudget budget;                     // of the principal, for what the grant shows plainly
};

struct Grant {
  bool deny = false;
  std::vector<Action> actions;           // never empty
  std::vector<std::string> classes;      // sorted; empty: every class
  std::vector<std::string> fields;       // sorted; empty: every field
  std::vector<Sensitivity> sensitivity;  // of the fields; empty: every one
  View view = View::kPlain;
  Scope scope;
  std::vector<std::string> purposes;  // sorted; empty: every purpose that the class allows
  std::vector<std::string> approves;  // of approval.decide: sorted; empty: whatever two decide
  // Of client.search: also by fields that the caller does not see plainly.
  bool search_unseen = false;
  Conditions conditions;
  std::size_t place = 0;  // in the role's document

  bool Covers(Action action) const;
  bool CoversClass(std::string_view class_name) const;
  bool CoversField(std::string_view name, Sensitivity of) const;
  bool CoversPurpose(std::string_view purpose) const;
  bool CoversApproval(std::string_view action) const;
  bool CoversEveryField() const { return fields.empty() && sensitivity.empty(); }
};

inline constexpr std::size_t kMaxGrants = 100;

// What takes two people: erasing, exporting clients in bulk, lifting a hold, changing what is
// deleted when, saying that a clock which jumped is right, changing a role, giving a privileged
// one.
inline constexpr std::string_view kTwoPersonActions[] = {
    "client.erase", "client.export",   "clock.confirm", "hold.lift",
    "record.erase", "retention.write", "role.give",     "role.write"};

struct RoleDocument {
  std::string name;  // [a-z][a-z0-9-]{0,63}
  std::string title;
  std::uint64_t version = 0;  // 0: built in
  std::vector<Grant> grants;
  bool scoped = false;         // some grant is about fewer than all clients
  bool scoped_by_tag = false;  // some grant is about those with a tag
  bool budgeted = false;       // some grant has a budget
  // It takes two people to give it: its holders run or watch the vault, approve, erase, or see or
  // change the data of clients that nobody assigned to them.
  bool privileged = false;
  // Of a role that was stored when more was accepted: members that do not narrow an action of their
  // grant. Such an action is not granted; a denial of it holds without the member. And time zones
  // that the machine has lost since: such a grant is not met, a denial holds at all hours.
  std::vector<Issue> not_evaluated;
  std::string definition;  // canonical JSON of what was given

  bool Allows(Action action) const;  // in some case
};

// A grant's or a lease's; faults are added to `issues`, at /conditions.
Conditions ParseConditions(const nlohmann::json& value, std::vector<Issue>& issues);

// Errors: those of ParseStrictJson; kUnprocessable "role_invalid" with issues, among them that one
// role may not both run or watch the vault (tokens, roles, classes, metrics, explanations), and see
// or change client data.
//
// What narrows an action of its grant is evaluated for it, or an issue
// (vault/catalog/role_narrowing.h). Of a stored role it is none: an older vault accepted it, and
// the start does not hang on it.
enum class RoleOrigin : std::uint8_t { kGiven, kStored };
Result<RoleDocument> ParseRole(std::string_view name, std::string_view json,
                               RoleOrigin origin = RoleOrigin::kGiven);

// The roles that every vault has, from vault/catalog/roles/.
const std::vector<RoleDocument>& BuiltInRoles();
const RoleDocument* FindBuiltInRole(std::string_view name);

}  // namespace coffer::vault
