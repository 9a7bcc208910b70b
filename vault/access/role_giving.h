// "role.give": a role as it is now, to an account as it is now, by one way. What is proposed and
// what is done become the same text, or the approval is none of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vault/access/principal_store.h"
#include "vault/catalog/catalog_store.h"
#include "vault/catalog/role.h"
#include "vault/vault.h"

namespace coffer::vault {

inline constexpr std::string_view kByChange = "change";
inline constexpr std::string_view kByService = "service";

struct Giving {
  std::string_view by;              // of kWaysToGive
  const PrincipalRow& after;        // the account as it will be
  const PrincipalRow* before = {};  // null: it is new
};

// Whatever its role shows, an account that is there may have clients, a lease, emergency access: a
// further way into it takes two people. So does a new account with a privileged role.
bool IsFurtherWay(const Giving& giving);  // the role apart; precondition: the account is there
bool TakesTwo(const Giving& giving, const RoleDocument& role);

std::string ContentOf(const Giving& giving, const RoleDocument& role);

// The faults of what somebody proposes, as far as they show without looking at accounts.
void CheckGiving(const Proposal& proposal, const Catalog& catalog, std::vector<Issue>& issues);
// The content as it would be hashed if it were done now. Precondition: CheckGiving found no fault.
// Errors: kUnprocessable "proposal_invalid" with issues.
Result<std::string> CompleteGiving(const Proposal& proposal, const Catalog& catalog,
                                   const PrincipalRegister& principals);

// Who answers for the service that is to be made; empty where none is named.
std::string OwnerIn(std::string_view content);

}  // namespace coffer::vault
