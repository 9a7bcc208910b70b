// Teams, which clients are assigned to as to a principal.
#pragma once

#include <string>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct Team {
  PrincipalId id;
  std::string name;
  Timestamp created;
  std::vector<PrincipalId> members;
};

}  // namespace coffer::vault
