// Leases: chosen fields of one client, shown for a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// Plain reading of chosen fields of one client's records of one class, for one purpose, under a
// ticket, until a time.
struct Lease {
  LeaseId id;
  ClientId client;
  PrincipalId principal;
  std::string class_name;
  std::vector<std::string> fields;
  std::string purpose;
  std::string ticket;
  Timestamp created, expires;
  PrincipalId given_by;
  // Canonical JSON: what counts in the place of the conditions of its holder's role.
  std::optional<std::string> conditions = {};
};

struct LeaseRequest {
  PrincipalId principal;
  std::string class_name;
  std::vector<std::string> fields;
  std::string purpose;
  std::string ticket;
  std::int64_t lifetime_s = 0;                 // 60 s to 30 days
  std::optional<std::string> conditions = {};  // JSON, as in a role's grant, without a budget
};

}  // namespace coffer::vault
