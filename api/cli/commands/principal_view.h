// Users and services as people see them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "api/cli/client/connection.h"
#include "api/cli/text/console.h"
#include "api/cli/text/failure.h"

namespace CLI {
class App;
}

namespace coffer::cli {

void DescribePrincipal(Console& console, const nlohmann::json& principal);
// As --json asks.
void ShowPrincipal(Console& console, const nlohmann::json& principal, bool as_json);

// What can be changed of both.
struct PrincipalChangeOptions {
  std::string name, role;
  bool disable = false, enable = false;
};
void AddPrincipalChangeOptions(CLI::App& command, PrincipalChangeOptions& options);
nlohmann::json ChangeOf(const PrincipalChangeOptions& options);

void AddRoleOption(CLI::App& command, std::string& role);

}  // namespace coffer::cli
