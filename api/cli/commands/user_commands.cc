// coffer user: the people who log in.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/principal_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/principal_view.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/deferred_signals.h"
#include "api/cli/files/one_time_secret.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct UserOptions {
  ConnectionOptions connection;
  std::string id, login, name, role, out;
  PrincipalChangeOptions change;
};

void DescribeEnrolment(Console& console, const json& enrolment) {
  DescribePrincipal(console, Member(enrolment, "user"));
  console.out << "The user enrols with it until " << Printable(Text(enrolment, "expires")) << ".\n";
}

// Whoever makes a user never learns the password: the code lets the user set one.
Outcome<Exit> HandOverCode(const UserOptions& options, OneTimeSecret& code, const json& answer,
                           Console& console) {
  COFFER_TRY(code.HandOver(console, answer,
                           {.member = "code",
                            .what = "Code for coffer enrol",
                            .json = options.connection.json,
                            .describe = DescribeEnrolment,
                            .left_over = "Nobody got the code. Give another one, which ends it: "
                                         "coffer user enrol-again " +
                                         Text(Member(answer, "user"), "id")}));
  return Exit::kOk;
}

Outcome<Exit> CreateUser(const UserOptions& options, Console& console) {
  COFFER_ASSIGN(OneTimeSecret code, OneTimeSecret::PlacedIn(options.out));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  const DeferredSignals until_handed_over;
  const json body = {{"login", options.login}, {"name", options.name}, {"role", options.role}};
  COFFER_ASSIGN(const json answer, client.Post(Target("/v1/users"), body.dump()));
  return HandOverCode(options, code, answer, console);
}

Outcome<Exit> EnrolAgain(const UserOptions& options, Console& console) {
  COFFER_ASSIGN(OneTimeSecret code, OneTimeSecret::PlacedIn(options.out));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string id, ResolvePrincipal(client, options.id));
  const DeferredSignals until_handed_over;
  COFFER_ASSIGN(const json answer,
                client.PostNothing(Target("/v1/users").Segment(id).Segment("enrolment")));
  return HandOverCode(options, code, answer, console);
}

Outcome<Exit> ListUsers(const UserOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/users")));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"USER", "LOGIN", "NAME", "ROLE", "ENROLLED", "SECOND FACTOR", "DISABLED"});
  for (const json& user : Member(answer, "items")) {
    table.Add({Text(user, "id"), Text(user, "login"), Text(user, "name"), Text(user, "role"),
               Text(user, "enrolled"), Text(user, "second_factor"), Text(user, "disabled")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowUser(const UserOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string id, ResolvePrincipal(client, options.id));
  COFFER_ASSIGN(const json user, client.Get(Target("/v1/users").Segment(id)));
  ShowPrincipal(console, user, options.connection.json);
  return Exit::kOk;
}

Outcome<Exit> SetUser(const UserOptions& options, Console& console) {
  const json change = ChangeOf(options.change);
  if (change.empty()) {
    return Failed(Exit::kUsage, "nothing is to be changed",
                  "Give --name, --role, --disable or --enable.");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string id, ResolvePrincipal(client, options.id));
  COFFER_ASSIGN(const json user, client.Patch(Target("/v1/users").Segment(id), change.dump()));
  ShowPrincipal(console, user, options.connection.json);
  return Exit::kOk;
}

void AddUserId(CLI::App& command, std::string& id) {
  command.add_option("user", id, "Login of the user, or the id (usr_...)")
      ->type_name("USER")
      ->required();
}

void AddCodeFile(CLI::App& command, std::string& out) {
  command
      .add_option("--out", out,
                  "New file for the one-time code, readable by you alone; without it the code is "
                  "printed")
      ->type_name("FILE");
}

void AddUserCreate(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<UserOptions>();
  CLI::App* command = group.add_subcommand("create", "Make a user, who then enrols with a code");
  command
      ->add_option("--login", options->login,
                   "What the user logs in with: small letters, digits and any of .-_@")
      ->type_name("LOGIN")
      ->required();
  command->add_option("--name", options->name, "The user's name")->type_name("TEXT")->required();
  AddRoleOption(*command, options->role);
  AddCodeFile(*command, options->out);
  command->footer(
      "Example:\n  coffer user create --login anna --name \"Anna Berg\" --role case-worker");
  RunOnline(*command, chosen, options, CreateUser);
}

void AddUserSet(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<UserOptions>();
  CLI::App* command =
      group.add_subcommand("set", "Change a user; a new role ends the user's sessions");
  AddUserId(*command, options->id);
  AddPrincipalChangeOptions(*command, options->change);
  command->footer("Example:\n  coffer user set anna --disable");
  RunOnline(*command, chosen, options, SetUser);
}

}  // namespace

void AddUserCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("user", "Make and change the people who log in");
  group->require_subcommand(1);
  AddUserCreate(*group, chosen);
  {
    auto options = std::make_shared<UserOptions>();
    CLI::App* command = group->add_subcommand("list", "Show all users");
    command->footer("Example:\n  coffer user list");
    RunOnline(*command, chosen, options, ListUsers);
  }
  {
    auto options = std::make_shared<UserOptions>();
    CLI::App* command = group->add_subcommand("show", "Show one user");
    AddUserId(*command, options->id);
    command->footer("Example:\n  coffer user show anna");
    RunOnline(*command, chosen, options, ShowUser);
  }
  AddUserSet(*group, chosen);
  AddUserDisable(*group, chosen);
  {
    auto options = std::make_shared<UserOptions>();
    CLI::App* command = group->add_subcommand(
        "enrol-again", "Give a new code; password, second factor and sessions of before are void");
    AddUserId(*command, options->id);
    AddCodeFile(*command, options->out);
    command->footer("Example:\n  coffer user enrol-again anna");
    RunOnline(*command, chosen, options, EnrolAgain);
  }
}

}  // namespace coffer::cli
