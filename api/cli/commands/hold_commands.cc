// coffer hold: what may not be deleted, and until when somebody looks at it again.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/client/client_lookup.h"
#include "api/cli/client/log_query.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "audit/text/clock.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct HoldOptions {
  ConnectionOptions connection;
  std::string client, class_name, tag, why, case_number, review_due, id;
  bool lifted = false;
};

std::string CoverageOf(const json& hold) {
  if (const auto tag = Text(hold, "tag"); !tag.empty()) return "tag " + tag;
  const auto class_name = Text(hold, "class");
  return Text(hold, "client") + (class_name.empty() ? "" : ", class " + class_name);
}

std::string StateOf(const json& hold) {
  if (const auto lifted = Text(hold, "lifted"); !lifted.empty()) return "lifted " + lifted;
  const std::string text = Text(hold, "review_due");
  const auto due = audit::ParseTimestamp(text, true);
  const bool overdue = due && *due < audit::SystemClock().Now();
  return (overdue ? "review OVERDUE since " : "review due ") + text;
}

Outcome<Exit> ShowHold(const HoldOptions& options, const json& hold, Console& console) {
  if (options.connection.json) {
    PrintJson(console, hold);
    return Exit::kOk;
  }
  PrintFields(console, {{"id", Text(hold, "id")},
                        {"holds", CoverageOf(hold)},
                        {"reason", Text(hold, "reason")},
                        {"case", Text(hold, "case_number")},
                        {"state", StateOf(hold)},
                        {"placed", Text(hold, "placed")},
                        {"placed by", Text(hold, "placed_by")},
                        {"lifted by", Text(hold, "lifted_by")}});
  return Exit::kOk;
}

Outcome<Exit> PlaceHold(const HoldOptions& options, Console& console) {
  if (options.client.empty() == options.tag.empty()) {
    return Failed(Exit::kUsage, "a hold is on a client or on a tag", "Give CLIENT, or --tag TAG.");
  }
  json body = {{"reason", options.why}, {"case_number", options.case_number}};
  COFFER_ASSIGN(body["review_due"], NormalisedTime(options.review_due, "--review"));
  if (!options.client.empty()) body["client"] = options.client;
  if (!options.class_name.empty()) body["class"] = options.class_name;
  if (!options.tag.empty()) body["tag"] = options.tag;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json hold, client.Post(Target("/v1/holds"), body.dump()));
  return ShowHold(options, hold, console);
}

Outcome<Exit> ListHolds(const HoldOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/holds");
  target.With("client", options.client).With("lifted", options.lifted ? "true" : "");
  COFFER_ASSIGN(const json holds, CollectPages(client, target));
  if (options.connection.json) {
    PrintJson(console, {{"items", holds}});
    return Exit::kOk;
  }
  Table table({"HOLD", "HOLDS", "CASE", "STATE", "PLACED BY"});
  for (const json& hold : holds) {
    table.Add({Text(hold, "id"), CoverageOf(hold), Text(hold, "case_number"), StateOf(hold),
               Text(hold, "placed_by")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowOneHold(const HoldOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json hold, client.Get(Target("/v1/holds").Segment(options.id)));
  return ShowHold(options, hold, console);
}

Outcome<Exit> LiftHold(const HoldOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json hold,
                client.PostNothing(Target("/v1/holds").Segment(options.id).Segment("lift")));
  return ShowHold(options, hold, console);
}

void AddPlaceHold(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<HoldOptions>();
  CLI::App* command =
      group.add_subcommand("place", "Keep a client, or all with a tag, from deletion");
  command->add_option("client", options->client, "Client id (cli_...)")->type_name("CLIENT");
  command->add_option("--class", options->class_name, "Only its records of this class")
      ->type_name("NAME");
  command->add_option("--tag", options->tag, "Every client with this tag, instead of one client")
      ->type_name("TAG");
  command->add_option("--why", options->why, "Why, in words; kept with the hold, not in the log")
      ->type_name("TEXT")
      ->required();
  command->add_option("--case", options->case_number, "Number of the case")
      ->type_name("CASE")
      ->required();
  command->add_option("--review", options->review_due, "When somebody looks at it again")
      ->type_name("TIME")
      ->required();
  command->footer(
      "Example:\n  coffer hold place cli_... --why \"claim for damages\" --case K-12 \\\n"
      "    --review 2027-01-31");
  RunOnline(*command, chosen, options, PlaceHold);
}

void AddOneHold(CLI::App& group, Command& chosen, const char* name, const char* help,
                const char* example, Outcome<Exit> (*run)(const HoldOptions&, Console&)) {
  auto options = std::make_shared<HoldOptions>();
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("hold", options->id, "Hold id (hold_...)")->type_name("HOLD")->required();
  command->footer(example);
  RunOnline(*command, chosen, options, run);
}

}  // namespace

void AddHoldCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("hold", "Keep data from deletion while a case goes on");
  group->require_subcommand(1);
  AddPlaceHold(*group, chosen);
  {
    auto options = std::make_shared<HoldOptions>();
    CLI::App* command = group->add_subcommand("list", "Show the holds, and which are overdue");
    command->add_option("client", options->client, "Only those on this client, also by its tags")
        ->type_name("CLIENT");
    command->add_flag("--lifted", options->lifted, "Those that were lifted too");
    command->footer("Example:\n  coffer hold list");
    RunOnline(*command, chosen, options, ListHolds, PurposeUse::kForNames);
  }
  AddOneHold(*group, chosen, "show", "Show one hold", "Example:\n  coffer hold show hold_...",
             ShowOneHold);
  AddOneHold(*group, chosen, "lift", "Lift a hold",
             "Two people decide it: coffer approval request lift-hold. Example:\n"
             "  coffer hold lift hold_... --approval apr_...",
             LiftHold);
}

}  // namespace coffer::cli
