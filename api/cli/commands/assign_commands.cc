// coffer assign, coffer assignment hand-over: many clients at once.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/principal_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/hand_over.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kAssignPortion = 200;

struct ManyOptions {
  ConnectionOptions connection;
  std::string from, to, starts, ends;
  std::vector<std::string> sources, names;
  bool all = false;
};

Outcome<Exit> Tell(const ManyOptions& options, const LineCounts& counts, const char* done,
                   Console& console) {
  if (options.connection.json) {
    PrintJson(console, {{"done", counts.done},
                        {"unchanged", counts.unchanged},
                        {"refused", counts.refused},
                        {"skipped", counts.skipped}});
  } else {
    console.out << Grouped(counts.done) << " " << done;
    if (counts.unchanged > 0) console.out << ", " << Grouped(counts.unchanged) << " were already";
    if (counts.refused > 0) console.out << ", " << Grouped(counts.refused) << " refused";
    if (counts.skipped > 0) {
      console.out << ", " << Grouped(counts.skipped) << " left: your role has no part in them";
    }
    console.out << "\n";
  }
  return counts.refused + counts.skipped == 0 ? Exit::kOk : Exit::kRowsRefused;
}

Outcome<Exit> AssignMany(const ManyOptions& options, Console& console) {
  COFFER_ASSIGN(const auto lines, ReadClientLines(options.sources, options.names));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string to, ResolvePrincipal(client, options.to));
  LineCounts counts;
  for (std::size_t first = 0; first < lines.size(); first += kAssignPortion) {
    json body = {{"principal", to}, {"clients", json::array()}};
    if (!options.starts.empty()) body["starts"] = options.starts;
    if (!options.ends.empty()) body["ends"] = options.ends;
    for (std::size_t i = first; i < std::min(lines.size(), first + kAssignPortion); ++i) {
      body["clients"].push_back(NamedClient(lines[i].name));
    }
    COFFER_ASSIGN(const json answer, client.Post(Target("/v1/assignments"), body.dump()));
    const LineCounts portion = TellAnswers(console, Member(answer, "items"), lines, first);
    counts.done += portion.done;
    counts.unchanged += portion.unchanged;
    counts.refused += portion.refused;
  }
  return Tell(options, counts, "assigned", console);
}

Outcome<Exit> HandOver(const ManyOptions& options, Console& console) {
  const bool some = !options.sources.empty();
  if (some == options.all) {
    return Failed(Exit::kUsage, "which clients are handed over is not said",
                  "Give --all, or --clients FILE.");
  }
  std::vector<ClientLine> lines;
  if (some) {
    COFFER_ASSIGN(lines, ReadClientLines(options.sources, {}));
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string from, ResolvePrincipal(client, options.from));
  COFFER_ASSIGN(const std::string to, ResolvePrincipal(client, options.to));
  COFFER_ASSIGN(const LineCounts counts, HandOverClients(client, from, to, lines, console));
  return Tell(options, counts, "handed over", console);
}

void AddPurposeForReferences(CLI::App& command, ManyOptions& options) {
  command
      .add_option("--purpose", options.connection.purpose,
                  "Why, where clients are named by their references, which are searched for")
      ->type_name("CODE");
}

constexpr const char* kSourceHelp =
    "A file with a client on each line, - for standard input, or a client: its external\n"
    "reference or its id; repeatable";

}  // namespace

void AddAssignCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<ManyOptions>();
  CLI::App* command = app.add_subcommand("assign", "Assign many clients to a person or a team");
  command
      ->add_option("--to", options->to, "Who gets them: a login, a team's or service's name, an id")
      ->type_name("WHO")
      ->required();
  command->add_option("--clients", options->sources, kSourceHelp)->type_name("FILE|-|REF");
  command->add_option("client", options->names, "A client: its external reference or its id")
      ->type_name("REF");
  command->add_option("--starts", options->starts, "When it begins; without it, now")
      ->type_name("TIME");
  command->add_option("--ends", options->ends, "When it ends; without it, when it is taken away")
      ->type_name("TIME");
  AddPurposeForReferences(*command, *options);
  command->footer(
      "A client that cannot be assigned stops no other: it is told, and the exit code is 3.\n"
      "Examples:\n  coffer assign --to anna --clients list.txt --purpose client-care\n"
      "  coffer assign --to north --purpose client-care A-1001 A-1002");
  RunOnline(*command, chosen, options, AssignMany);
}

void AddHandOverCommand(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<ManyOptions>();
  CLI::App* command =
      group.add_subcommand("hand-over", "Give the clients of one person to another");
  command->add_option("from", options->from, "Who has them: a login, a name or an id")
      ->type_name("FROM")
      ->required();
  command->add_option("--to", options->to, "Who gets them: a login, a name or an id")
      ->type_name("WHO")
      ->required();
  command->add_flag("--all", options->all, "All that are assigned to them");
  command->add_option("--clients", options->sources, kSourceHelp)->type_name("FILE|-|REF");
  AddPurposeForReferences(*command, *options);
  command->footer(
      "Each client passes at once, and what was interrupted goes on when it is done again.\n"
      "Example:\n  coffer assignment hand-over anna --to bert --all");
  RunOnline(*command, chosen, options, HandOver);
}

}  // namespace coffer::cli
