// How a command of the server's declares what it runs.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "api/cli/client/connection.h"
#include "api/cli/commands/commands.h"

namespace coffer::cli {

// Sets the command's callback alone.
template <class Options>
void RunWith(CLI::App& command, Command& chosen, const std::shared_ptr<Options>& options,
             Outcome<Exit> (*run)(const Options&, Console&)) {
  command.callback([options, &chosen, run] {
    chosen = [options, run](Console& console) { return run(*options, console); };
  });
}

// Adds the options of a connection too. Options has a member `connection`.
template <class Options>
void RunOnline(CLI::App& command, Command& chosen, const std::shared_ptr<Options>& options,
               Outcome<Exit> (*run)(const Options&, Console&),
               PurposeUse purpose = PurposeUse::kNone) {
  AddConnectionOptions(command, options->connection, purpose);
  RunWith(command, chosen, options, run);
}

}  // namespace coffer::cli
