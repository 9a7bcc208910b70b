// The report of a drill, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "api/cli/text/console.h"
#include "audit/documents/drill_report.h"

namespace coffer::cli {

nlohmann::json JsonOfDrill(const audit::DrillReport& report);
// What was done, what it has shown and what it has not.
void PrintDrill(const audit::DrillReport& report, Console& console);

}  // namespace coffer::cli
