// What is asked about a decision, and what is answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vault/access/access_policy.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// Who would ask for what: nothing of it happens.
struct AccessQuestion {
  PrincipalId principal;
  std::string action;
  std::optional<ClientId> client;
  std::string class_name;  // empty: about no class
  // Of the records; absent: the newest. Those of an older one are shown by the stricter of both.
  std::optional<std::uint64_t> class_version;
  std::string purpose;
  bool reason = false, ticket = false;  // given
  std::optional<Timestamp> at;          // absent: now
  std::string address;                  // from where; empty: it cannot be said
  bool certificate = false;             // shown
  // How long ago the second factor was given; absent: never.
  std::optional<std::int64_t> second_factor_minutes;
};

// A lease, or emergency access, that is for what is asked.
struct LeaseAnswer {
  std::string id;
  std::optional<std::string> conditions;  // its own; absent: those of the role count
  bool open = false;                      // they are met
  std::string reason;                     // what the caller would be told where they are not
};

// What shows a field plainly: a grant of the role, or a lease, or emergency access.
struct PlainSource {
  enum class By : std::uint8_t { kGrant, kLease, kEmergency };
  By by = By::kGrant;
  std::optional<std::size_t> grant = {};  // its place in the role
  std::string scope = {};                 // of the grant: "all", "assigned", "tag:TAG"
  std::string id = {};                    // of the lease or the emergency access
};

struct AccessAnswer {
  bool allowed = false;
  std::string rule;
  std::string reason;  // of a refusal: the code that the caller would get
  std::string role;
  std::uint64_t role_version = 0;
  std::vector<std::size_t> grants;  // places in the role of those that match
  // Of the class, what would be seen, written or searched of each field.
  std::vector<std::pair<std::string, View>> fields;
  std::vector<LeaseAnswer> leases;
  // Of the fields that are plain, where that comes from; and to whom of the principal and its teams
  // the client is assigned.
  std::vector<std::pair<std::string, std::vector<PlainSource>>> plain = {};
  std::vector<PrincipalId> assigned_to = {};
};

}  // namespace coffer::vault
