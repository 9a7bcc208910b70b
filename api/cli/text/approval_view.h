// What an approval would do, for who answers for it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "api/cli/text/console.h"

namespace coffer::cli {

std::string WhoAsked(const nlohmann::json& question);                   // "Anna Berg (anna)"
void DescribePreview(Console& console, const nlohmann::json& preview);  // null: nothing

}  // namespace coffer::cli
