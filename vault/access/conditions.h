// What must be true of a request besides what its grant is about: where it comes from, when, and
// what it shows. For grants, and for leases and emergency access.
//
// A lease opens clients, classes and fields that its holder's role keeps closed; it opens no hour
// and no network. Unless it was given with conditions of its own, which then count in their place,
// a request by it meets every condition (but budgets) of every grant of the role
//
//   that allows the request's action, whatever its scope, classes, fields, view and purposes;
//   where none does, that allows any action on client data;
//   where none does, of all its grants;
//
// and for emergency access also those of its grants of emergency.open. Denials of a role count for
// leases as they are: their conditions say when they deny.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vault/access/access_facts.h"
#include "vault/catalog/role.h"

namespace coffer::vault {

enum class Condition : std::uint8_t {
  kNetwork,
  kHours,
  kCertificate,
  kSecondFactor,
  kReason,
  kTicket
};

// The first that the request does not meet; what cannot be evaluated is not met, or, with
// `doubt_meets` (a denial), is.
std::optional<Condition> FirstUnmet(const Conditions& conditions, const AccessFacts& facts,
                                    bool doubt_meets = false);

// Of a lease that was given with its own.
struct OwnConditions {
  std::string definition;                // canonical JSON, as it was given
  std::optional<Conditions> conditions;  // absent: they cannot be read, and nothing meets them
};

// Faults are added to `issues`, at /conditions. Budgets have no place here.
std::shared_ptr<const OwnConditions> ParseOwnConditions(std::string_view json,
                                                        std::vector<Issue>& issues);
// As they were stored. A time zone may be gone since: that ends no start, but the lease.
std::shared_ptr<const OwnConditions> ReadOwnConditions(std::string_view stored);

// Precondition: the principal is known, so that there is a role.
std::optional<Condition> FirstUnmetOfLease(const LeaseTerms& lease, const AccessFacts& facts);

}  // namespace coffer::vault
