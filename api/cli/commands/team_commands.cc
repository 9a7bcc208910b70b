// coffer team: who works together.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct TeamOptions {
  ConnectionOptions connection;
  std::string name;
  std::vector<std::string> members;
  bool empty = false;
};

void ShowTeams(Console& console, const json& teams) {
  Table table({"TEAM", "NAME", "MEMBERS"});
  for (const json& team : teams) {
    const auto members = TextList(team, "members");
    // One a line: ids are long.
    table.Add({Text(team, "id"), Text(team, "name"), members.empty() ? "nobody" : members[0]});
    for (std::size_t i = 1; i < members.size(); ++i) table.Add({"", "", members[i]});
  }
  table.Print(console);
}

Outcome<Exit> PutTeam(const TeamOptions& options, Console& console) {
  if (options.empty != options.members.empty()) {
    return Failed(Exit::kUsage, "a team's members are named, or it has none",
                  "Name all of them, or give --empty.");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json team, client.Put(Target("/v1/teams").Segment(options.name),
                                            json{{"members", options.members}}.dump()));
  if (options.connection.json) {
    PrintJson(console, team);
  } else {
    ShowTeams(console, json::array({team}));
  }
  return Exit::kOk;
}

Outcome<Exit> ListTeams(const TeamOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/teams")));
  if (options.connection.json) {
    PrintJson(console, answer);
  } else {
    ShowTeams(console, Member(answer, "items"));
  }
  return Exit::kOk;
}

}  // namespace

void AddTeamCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("team", "Say who works together");
  group->require_subcommand(1);
  {
    auto options = std::make_shared<TeamOptions>();
    CLI::App* command = group->add_subcommand("put", "Make a team, or replace its members");
    command->add_option("name", options->name, "Name of the team: small letters, digits, hyphens")
        ->type_name("NAME")
        ->required();
    command->add_option("members", options->members, "All its members (usr_..., svc_...)")
        ->type_name("MEMBER");
    command->add_flag("--empty", options->empty, "Leave it without members");
    command->footer("Example:\n  coffer team put complaints usr_... usr_...");
    RunOnline(*command, chosen, options, PutTeam);
  }
  {
    auto options = std::make_shared<TeamOptions>();
    CLI::App* command = group->add_subcommand("list", "Show all teams and their members");
    command->footer("Example:\n  coffer team list");
    RunOnline(*command, chosen, options, ListTeams);
  }
}

}  // namespace coffer::cli
