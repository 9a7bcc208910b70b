// coffer: the operator's and auditor's tool.
#include <csignal>

#include "api/cli/commands/commands.h"
#include "crypto/standard_streams.h"

int main(int argc, char** argv) {
  coffer::crypto::OccupyStandardStreams();
  // A reader that went away, or a server that closed, is an error to handle and no reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  // Neither is a file that may not grow (ulimit -f).
  std::signal(SIGXFSZ, SIG_IGN);
  coffer::cli::Console console = coffer::cli::StandardConsole();
  return coffer::cli::Run(argc, argv, console);
}
