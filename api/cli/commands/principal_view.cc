#include "api/cli/commands/principal_view.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "api/cli/text/json_view.h"

namespace coffer::cli {

using nlohmann::json;

void DescribePrincipal(Console& console, const json& principal) {
  std::string certificates;
  for (const std::string& binding : TextList(principal, "certificates")) {
    certificates += (certificates.empty() ? "" : ", ") + binding;
  }
  PrintFields(console, {{"id", Text(principal, "id")},
                        {"login", Text(principal, "login")},
                        {"name", Text(principal, "name")},
                        {"role", Text(principal, "role")},
                        {"owner", Text(principal, "owner")},
                        {"certificates", certificates},
                        {"enrolled", Text(principal, "enrolled")},
                        {"second factor", Text(principal, "second_factor")},
                        {"created", Text(principal, "created")},
                        {"disabled", Text(principal, "disabled")}});
}

void ShowPrincipal(Console& console, const json& principal, bool as_json) {
  if (as_json) {
    PrintJson(console, principal);
  } else {
    DescribePrincipal(console, principal);
  }
}

void AddPrincipalChangeOptions(CLI::App& command, PrincipalChangeOptions& options) {
  command.add_option("--name", options.name, "New name")->type_name("TEXT");
  command
      .add_option("--role", options.role,
                  "New role; a privileged one takes an approval (coffer approval)")
      ->type_name("ROLE");
  auto* disable = command.add_flag("--disable", options.disable,
                                   "Let them do nothing more, from the next request on");
  command.add_flag("--enable", options.enable, "Let them go on after --disable")->excludes(disable);
}

json ChangeOf(const PrincipalChangeOptions& options) {
  json change = json::object();
  if (!options.name.empty()) change["name"] = options.name;
  if (!options.role.empty()) change["role"] = options.role;
  if (options.disable || options.enable) change["disabled"] = options.disable;
  return change;
}

void AddRoleOption(CLI::App& command, std::string& role) {
  command
      .add_option("--role", role,
                  "What they may do: administrator, security-officer, privacy-officer,\n"
                  "supervisor, case-worker, crm-service, auditor, or a role made here")
      ->type_name("ROLE")
      ->required();
}

}  // namespace coffer::cli
