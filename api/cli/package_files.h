// Everything of one client, as the server gives it, in files to hand over.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "api/cli/failure.h"

namespace coffer::cli {

// The lines to one new file, one JSON object a line. `lines`: {"client": …} and {"record": …}.
Outcome<void> WriteJsonPackage(const nlohmann::json& lines, const std::string& path);

// To a new directory, mode 0700: client.csv, and one file a class with a column for each field that
// any of its records has. No cell starts a formula; see audit/entry_csv.h. Exit::kUsage when the
// directory exists already. What was not finished is removed again.
Outcome<void> WriteCsvPackage(const nlohmann::json& lines, const std::string& path);

}  // namespace coffer::cli
