// Which client is given to whom, and from when to when.
#pragma once

#include <optional>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct Assignment {
  ClientId client;
  PrincipalId principal;
  Timestamp starts;
  std::optional<Timestamp> ends;  // absent: until it is taken away
  PrincipalId given_by;
  bool changed = false;  // by the call that answers it
};

struct AssignmentTerms {
  std::optional<Timestamp> starts;  // absent: now
  std::optional<Timestamp> ends;
};

}  // namespace coffer::vault
