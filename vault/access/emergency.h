// Emergency access: to a client that is nobody's of the caller's, reviewed afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct EmergencyRequest {
  std::string purpose, ticket;
  std::int64_t lifetime_s = 0;  // 60 s to 24 h
};

struct EmergencyAccess {
  EmergencyId id;
  ClientId client;
  PrincipalId principal;
  std::string purpose, ticket;
  Timestamp created, expires;
  Timestamp review_due;
  std::optional<PrincipalId> reviewer;
  std::optional<Timestamp> reviewed;
  std::string finding;  // what the review found
};

}  // namespace coffer::vault
