// What the commands of coffer key share, and those that a server does the longer part of.
#pragma once

#include <string>
#include <string_view>

#include "api/cli/commands/commands.h"
#include "api/cli/files/root_key.h"
#include "vault/base/file_account.h"

namespace CLI {
class App;
}

namespace coffer::cli {

struct KeyOptions {
  std::string directory;
  RootKeyOptions root_key;
  bool json = false;
};
void AddDirectory(CLI::App& command, KeyOptions& options);

inline constexpr std::string_view kKeysAsTheyWere = "the keys are as they were";

// Whose files they are; the root key was read before.
Outcome<vault::ActingAs> ActForVault(const std::string& directory,
                                     std::string_view otherwise = kKeysAsTheyWere);

// coffer key rotate clients, database, index, log; coffer key finish clients, database, log.
void AddKeyExchanges(CLI::App& rotate, CLI::App& finish, Command& chosen);

}  // namespace coffer::cli
