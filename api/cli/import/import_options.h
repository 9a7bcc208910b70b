// Options of coffer import that say what the cells of a table mean, and what a profile says of it.
#pragma once

#include <string>

#include "api/cli/import/import_plan.h"
#include "api/cli/text/failure.h"

namespace CLI {
class App;
}

namespace coffer::cli {

void AddCellOptions(CLI::App& command, MappingOptions& mapping, std::string& profile);

// Loads the profile, when one is named, and takes over its class where the command line has none.
// Its delimiter and encoding stay in it: what the file itself says of them comes before.
// Exit::kUsage for what is missing then, and for options that contradict.
Outcome<void> TakeProfile(const std::string& profile, MappingOptions& mapping,
                          std::string& class_name);

}  // namespace coffer::cli
