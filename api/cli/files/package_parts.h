// The parts of an access package as one: docs/access-package.schema.json has their members.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "api/cli/text/failure.h"

namespace coffer::cli {

// {"package", "made", "about", "records", "left_out", "log"}; what is left out is added up.
// Exit::kFailed for what are no parts of one package, in their order and whole.
Outcome<nlohmann::json> JoinParts(const std::vector<std::string>& parts);

}  // namespace coffer::cli
