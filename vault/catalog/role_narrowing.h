// What narrows a grant, and what it narrows: every member of a grant that makes it smaller is
// evaluated for every action that the grant names, or the role is refused. There is no third case,
// in which a grant reads as if it were narrow and is not.
//
// docs/formats.md has the table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/catalog/grant.h"

namespace coffer::vault {

enum class Narrowing : std::uint8_t {
  kAssigned,  // "scope": "assigned"
  kTag,       // "scope": {"tag": …}
  kClasses,
  kFields,
  kSensitivity,
  kView,  // masked or presence
  kPurposes,
  kApproves,
  kReason,
  kTicket,
  kNetworks,
  kHours,
  kCertificate,
  kSecondFactor,
  kBudget,
};
inline constexpr int kNarrowingCount = static_cast<int>(Narrowing::kBudget) + 1;

// The member of a grant that says it: "/scope".
std::string_view MemberOf(Narrowing narrowing);

// Whether a grant (`deny`: a denial) of this action is decided with this narrowing. What the caller
// chooses to send narrows no denial: leaving it out would lift it.
bool Narrows(Narrowing narrowing, Action action, bool deny);

// Whether what the action shows of records is told field by field.
bool IsAboutRecords(Action action);
// Whether what it shows plainly is counted against budgets.
bool IsCounted(Action action, const Grant& grant);

// An issue for each member of the grant that does not narrow one of its actions.
std::vector<Issue> UnevaluatedIn(const Grant& grant, const std::string& pointer);

// What is left of a stored grant that would be refused now, so that it is no wider than it reads:
// of a grant, those actions that all of its members narrow; of a denial all of them, without what
// does not narrow it. What is split off is added to `more`.
void DropUnevaluated(Grant& grant, std::vector<Grant>& more);

}  // namespace coffer::vault
