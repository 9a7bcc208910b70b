// Teams of principals.
#pragma once

#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/team.h"
#include "vault/base/ids.h"

namespace coffer::vault {

class Teams {
 public:
  explicit Teams(const Operations& operations) : operations_(operations) {}

  // Errors: kUnprocessable "team_invalid" with issues.
  Result<Team> PutTeam(const Caller& caller, std::string_view name,
                       const std::vector<PrincipalId>& members);
  Result<std::vector<Team>> ListTeams(const Caller& caller);

 private:
  const Operations& operations_;
};

}  // namespace coffer::vault
