// coffer user disable: who leaves, and where their clients go. coffer log readers.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/log_query.h"
#include "api/cli/client/principal_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/hand_over.h"
#include "api/cli/commands/principal_view.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct LeavingOptions {
  ConnectionOptions connection;
  std::string who, hand_over_to;
  bool leave = false;
};
struct ReaderOptions {
  ConnectionOptions connection;
  std::string since, until;
};

// The clients go first: who stops in between leaves nobody without somebody, and where they cannot
// all go the account is not disabled, unless it is said that they stay.
Outcome<Exit> DisableUser(const LeavingOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string id, ResolvePrincipal(client, options.who));
  if (!options.hand_over_to.empty()) {
    COFFER_ASSIGN(const std::string to, ResolvePrincipal(client, options.hand_over_to));
    COFFER_ASSIGN(const LineCounts counts, HandOverClients(client, id, to, {}, console));
    console.err << Grouped(counts.done) << " clients were handed over.\n";
  }
  json change = {{"disabled", true}};
  if (options.leave) change["leave_clients"] = true;
  COFFER_ASSIGN(const json user, client.Patch(Target("/v1/users").Segment(id), change.dump()));
  ShowPrincipal(console, user, options.connection.json);
  return Exit::kOk;
}

Outcome<Exit> CountReaders(const ReaderOptions& options, Console& console) {
  COFFER_ASSIGN(const std::string since, NormalisedTime(options.since, "--since"));
  COFFER_ASSIGN(const std::string until, NormalisedTime(options.until, "--until"));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/log/readers");
  target.With("from", since).With("to", until);
  COFFER_ASSIGN(const json answer, client.Get(target));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"WHO", "ROLE", "READS", "CLIENTS", "COLLEAGUES", "MEDIAN", "TIMES", "AMONG"});
  for (const json& item : Member(answer, "items")) {
    const std::string login = Text(item, "login");
    table.Add({login.empty() ? Text(item, "name") : login, Text(item, "role"), Text(item, "reads"),
               Text(item, "clients"), Text(item, "colleagues"), Text(item, "median"),
               Text(item, "ratio"), Text(item, "group")});
  }
  table.Print(console);
  console.out << "Clients: how many different ones somebody was shown. Median: of the colleagues, "
                 "those who saw\nnobody too; fewer than three are no comparison.\n";
  if (Text(answer, "more") == "true") console.out << "There are more who saw fewer.\n";
  return Exit::kOk;
}

}  // namespace

void AddUserDisable(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<LeavingOptions>();
  CLI::App* command =
      group.add_subcommand("disable", "Shut somebody out, and say where their clients go");
  command->add_option("user", options->who, "Login or id (usr_...)")
      ->type_name("LOGIN")
      ->required();
  auto* const to =
      command->add_option("--hand-over-to", options->hand_over_to,
                          "Who gets their clients: a login, a team's or service's name, an id");
  to->type_name("WHO");
  command
      ->add_flag("--leave-clients", options->leave,
                 "Their clients stay assigned to them, and nobody else gets them")
      ->excludes(to);
  command->footer(
      "Without either, somebody who has clients is not disabled: it is told how many.\n"
      "Example:\n  coffer user disable anna --hand-over-to bert");
  RunOnline(*command, chosen, options, DisableUser);
}

void AddLogReaders(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<ReaderOptions>();
  CLI::App* command = group.add_subcommand(
      "readers", "Show who was shown how many different clients, against their colleagues");
  command->add_option("--since", options->since, "From this time on; without it, from the start")
      ->type_name("TIME");
  command->add_option("--until", options->until, "Before this time; without it, now")
      ->type_name("TIME");
  command->footer("Example:\n  coffer log readers --since 2026-07-01");
  RunOnline(*command, chosen, options, CountReaders);
}

}  // namespace coffer::cli
