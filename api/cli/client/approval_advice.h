// What to do about a refusal that asks for a second person.
#pragma once

#include <string>

#include "api/cli/client/http_client.h"

namespace coffer::cli {

// The commands that ask for an approval of exactly what `request` would have done, and do it then.
// `purpose`: what was given for it; empty when none was.
std::string ApprovalAdvice(const HttpRequest& request, const std::string& purpose);

}  // namespace coffer::cli
