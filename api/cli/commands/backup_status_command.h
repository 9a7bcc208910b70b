// coffer backup status: of the group "backup".
#pragma once

#include "api/cli/commands/commands.h"

namespace coffer::cli {

void AddBackupStatus(CLI::App& group, Command& chosen);

}  // namespace coffer::cli
