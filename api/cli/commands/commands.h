// The commands. Each Add… function declares its part of the command line; when that part is used,
// `chosen` becomes what is to be run once the whole line has been understood.
#pragma once

#include <functional>

#include "api/cli/text/console.h"
#include "api/cli/text/failure.h"

namespace CLI {
class App;
}

namespace coffer::cli {

using Command = std::function<Outcome<Exit>(Console&)>;

void AddInitCommand(CLI::App& app, Command& chosen);
void AddStatusCommand(CLI::App& app, Command& chosen);
void AddUserCommands(CLI::App& app, Command& chosen);
void AddServiceCommands(CLI::App& app, Command& chosen);
void AddTeamCommands(CLI::App& app, Command& chosen);
void AddEnrolCommand(CLI::App& app, Command& chosen);
void AddLoginCommands(CLI::App& app, Command& chosen);
void AddSessionCommands(CLI::App& app, Command& chosen);
void AddWhoAmICommand(CLI::App& app, Command& chosen);
void AddTokenCommands(CLI::App& app, Command& chosen);
void AddApprovalCommands(CLI::App& app, Command& chosen);
void AddEmergencyCommands(CLI::App& app, Command& chosen);
void AddClassCommands(CLI::App& app, Command& chosen);
void AddPurposeCommands(CLI::App& app, Command& chosen);
void AddRoleCommands(CLI::App& app, Command& chosen);
void AddAssignmentCommands(CLI::App& app, Command& chosen);
void AddAssignCommand(CLI::App& app, Command& chosen);
void AddHandOverCommand(CLI::App& group, Command& chosen);  // of assignments
void AddUserDisable(CLI::App& group, Command& chosen);      // of users
void AddLogReaders(CLI::App& group, Command& chosen);       // of the log
void AddLeaseCommands(CLI::App& app, Command& chosen);
void AddExplainCommand(CLI::App& app, Command& chosen);
void AddImportCommand(CLI::App& app, Command& chosen);
void AddExportCommand(CLI::App& app, Command& chosen);
void AddGetCommand(CLI::App& app, Command& chosen);
void AddSearchCommand(CLI::App& app, Command& chosen);
void AddEraseCommand(CLI::App& app, Command& chosen);
void AddErasureCommands(CLI::App& app, Command& chosen);
void AddWhereCommand(CLI::App& app, Command& chosen);
void AddClientCommands(CLI::App& app, Command& chosen);
void AddClientRegisterCommands(CLI::App& group, Command& chosen);  // of "client"
void AddRecordCommands(CLI::App& app, Command& chosen);
void AddHoldCommands(CLI::App& app, Command& chosen);
void AddConsentCommands(CLI::App& app, Command& chosen);
void AddBreachCommands(CLI::App& app, Command& chosen);
void AddPackageCommands(CLI::App& app, Command& chosen);
void AddRecipientCommands(CLI::App& app, Command& chosen);
void AddDisclosureCommands(CLI::App& app, Command& chosen);
void AddRequestCommands(CLI::App& app, Command& chosen);
void AddLetterCommands(CLI::App& app, Command& chosen);
void AddNoticeCommands(CLI::App& app, Command& chosen);
void AddProcessingCommands(CLI::App& app, Command& chosen);
void AddRegimeCommands(CLI::App& app, Command& chosen);
void AddTodayCommand(CLI::App& app, Command& chosen);
void AddRetentionCommands(CLI::App& app, Command& chosen);
void AddClockCommands(CLI::App& app, Command& chosen);
void AddLogCommands(CLI::App& app, Command& chosen);
void AddEvidenceCommand(CLI::App& app, Command& chosen);
void AddKeyCommands(CLI::App& app, Command& chosen);
void AddVerifyCommand(CLI::App& app, Command& chosen);
void AddBackupCommands(CLI::App& app, Command& chosen);
void AddRestoreCommand(CLI::App& app, Command& chosen);
void AddRecoverCommand(CLI::App& app, Command& chosen);

// All of them.
void Declare(CLI::App& app, Command& chosen);

// The whole tool, from the command line to the exit code.
int Run(int argc, const char* const* argv, Console& console);

}  // namespace coffer::cli
