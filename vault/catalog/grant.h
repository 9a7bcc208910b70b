// One grant of a role, or one denial: which actions, on which clients, classes and fields, for
// what, how plainly, and under which conditions. docs/formats.md has the grammar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

}  // namespace coffer::vault
