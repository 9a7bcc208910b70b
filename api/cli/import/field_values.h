// A record's document, or part of one, from a JSON file and from "field=value" on the command line,
// each value as the field's type in the class has it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "api/cli/import/import_plan.h"
#include "api/cli/text/failure.h"

namespace coffer::cli {

struct FieldOptions {
  std::string file;                // JSON object of fields; "-": standard input
  std::vector<std::string> set;    // "field=value"; of a list field once for each item
  std::vector<std::string> unset;  // fields to be taken away
};

// Exit::kUsage where nothing is given, where a field is named twice, is not of the class or is not
// understood.
Outcome<nlohmann::json> ReadFields(const FieldOptions& options, const ClassShape& shape);

}  // namespace coffer::cli
