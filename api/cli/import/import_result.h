// What an import came to, for people and for programs. Values of the table are in none of it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "api/cli/import/import_plan.h"
#include "api/cli/import/import_run.h"
#include "api/cli/text/console.h"

namespace coffer::cli {

// `line 3, column "Born", field date_of_birth, written 99.99.9999: reason`
std::string Describe(const Refusal& refusal);

// Fields that were left out, columns that nothing was taken from, lines that were a footer.
void TellLeftOut(const ImportPlan& plan, const ImportRunResult& result, bool reported,
                 Console& console);
// Adds "left_out", "fields_left_out", "unmapped_columns", "footer_lines" and "result".
void AddResult(const ImportPlan& plan, const ImportRunResult& result, bool dry_run,
               nlohmann::json& summary);
// What a run that sends nothing cannot know.
void TellDryRun(const ImportRunResult& result, Console& console);

Exit ExitOf(const ImportRunResult& result);

}  // namespace coffer::cli
