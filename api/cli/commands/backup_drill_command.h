// coffer backup drill: of the group "backup".
#pragma once

#include "api/cli/commands/commands.h"

namespace coffer::cli {

void AddBackupDrill(CLI::App& group, Command& chosen);

}  // namespace coffer::cli
