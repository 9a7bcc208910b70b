// JSON for programs, and what people are told of a list that is not whole.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "api/cli/text/console.h"

namespace coffer::cli {

// Indented. On a terminal what it might obey is escaped, so that no value can steer it.
void PrintJson(Console& console, const nlohmann::json& value);

// In one line, which no terminal obeys.
std::string OneLine(const nlohmann::json& value);

void TellIfCut(Console& console, const nlohmann::json& list);

}  // namespace coffer::cli
