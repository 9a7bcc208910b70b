// Finding people, services and teams by what they are called.
#pragma once

#include <string>

#include "api/cli/client/api_client.h"

namespace coffer::cli {

// The id of whom `name` means: an id itself (usr_..., svc_..., team_...), a user's login, or the
// name of a team or of exactly one service. Failure where that is nobody, or more than one.
Outcome<std::string> ResolvePrincipal(ApiClient& client, const std::string& name);

}  // namespace coffer::cli
