// What was said of a breach, as JSON: how it is stored, and what counts of all that was said.
#pragma once

#include <string>
#include <vector>

#include "crypto/result.h"
#include "vault/oversight/breach.h"
#include "vault/oversight/breach_scope.h"

namespace coffer::vault {

// Canonical: members in the order of their names, those without a value absent.
std::string DocumentOf(const BreachFacts& facts);
std::string DocumentOf(const BreachNotice& notice);
std::string DocumentOf(const BreachClosing& closing);
std::string DocumentOf(const BreachScope& scope);  // its criteria and counts, none of its clients

// The breach's history becomes what is known of it. Errors: kCorrupted "storage_corrupted".
Status Conclude(Breach& breach, Timestamp now);

// What is wrong with what is to be said, with pointers. `opening`: of a new breach.
std::vector<Issue> FaultsOf(const BreachFacts& facts, bool opening);
std::vector<Issue> FaultsOf(const BreachNotice& notice);
std::vector<Issue> FaultsOf(const BreachClosing& closing);

}  // namespace coffer::vault
