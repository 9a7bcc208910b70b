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
#include "vault/catalog/action.h"
#include "vault/catalog/grant.h"

namespace coffer::vault {

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
