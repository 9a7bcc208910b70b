// coffer emergency: one client at once, and the review afterwards.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/class_titles.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "audit/text/clock.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct EmergencyOptions {
  ConnectionOptions connection;
  std::string client, purpose, ticket, id, finding;
  int hours = 1;
};

bool IsReviewed(const json& emergency) { return !Text(emergency, "reviewed").empty(); }

std::string Review(const json& emergency) {
  if (IsReviewed(emergency)) {
    return Text(emergency, "reviewed") + " by " + Text(emergency, "reviewer");
  }
  const std::string text = Text(emergency, "review_due");
  const auto due = audit::ParseTimestamp(text, true);
  const bool overdue = due && *due < audit::SystemClock().Now();
  return (overdue ? "OVERDUE since " : "due ") + text;
}

void DescribeEmergency(Console& console, const json& emergency) {
  PrintFields(console, {{"id", Text(emergency, "id")},
                        {"client", Text(emergency, "client")},
                        {"principal", Text(emergency, "principal")},
                        {"purpose", Text(emergency, "purpose")},
                        {"ticket", Text(emergency, "ticket")},
                        {"created", Text(emergency, "created")},
                        {"expires", Text(emergency, "expires")},
                        {"review", Review(emergency)},
                        {"finding", Text(emergency, "finding")}});
}

Outcome<Exit> Show(const EmergencyOptions& options, const json& emergency, Console& console) {
  if (options.connection.json) {
    PrintJson(console, emergency);
  } else {
    DescribeEmergency(console, emergency);
  }
  return Exit::kOk;
}

Outcome<Exit> Open(const EmergencyOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  const json body = {{"client", options.client},
                     {"purpose", options.purpose},
                     {"ticket", options.ticket},
                     {"lifetime_s", options.hours * 3600}};
  COFFER_ASSIGN(const json answer, client.Post(Target("/v1/emergency-access"), body.dump()));
  return Show(options, answer, console);
}

Outcome<Exit> List(const EmergencyOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(json answer, client.Get(Target("/v1/emergency-access")));
  if (options.connection.json) {
    answer["more"] = IsCut(answer);
    PrintJson(console, answer);
    return Exit::kOk;
  }
  std::vector<json> items;
  for (const json& item : Member(answer, "items")) items.push_back(item);
  std::ranges::stable_partition(items, [](const json& item) { return !IsReviewed(item); });
  Table table({"EMERGENCY", "CLIENT", "PRINCIPAL", "PURPOSE", "TICKET", "CREATED", "REVIEW"});
  for (const json& item : items) {
    table.Add({Text(item, "id"), Text(item, "client"), Text(item, "principal"),
               Text(item, "purpose"), Text(item, "ticket"), Text(item, "created"), Review(item)});
  }
  table.Print(console);
  TellIfCut(console, answer);
  return Exit::kOk;
}

Outcome<Exit> ShowOne(const EmergencyOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  const auto target = [&] { return Target("/v1/emergency-access").Segment(options.id); };
  json report;
  json uses = json::array();
  for (std::string cursor;;) {
    COFFER_ASSIGN(const json page,
                  client.Get(target().With("limit", "1000").With("cursor", cursor)));
    const json& found = Member(page, "uses");
    if (found.is_array()) uses.insert(uses.end(), found.begin(), found.end());
    if (report.is_null()) report = page;
    const std::string next = Text(page, "next_cursor");
    if (next.empty()) break;
    if (next == cursor) return Failed(Exit::kFailed, "the server's pages do not end");
    cursor = next;
  }
  report.erase("next_cursor");
  report["uses"] = uses;
  if (options.connection.json) {
    PrintJson(console, report);
    return Exit::kOk;
  }
  DescribeEmergency(console, report);
  PrintHeading(console, "Done under it, as the log has it");
  if (uses.empty()) console.out << "nothing\n";
  if (uses.empty()) return Exit::kOk;
  const ClassTitles titles = ClassTitles::Read(client, ClassesOf(uses), console);
  Table table({"ENTRY", "WHEN", "ACTION", "CLASS", "RECORD", "FIELDS", "SHOWN"});
  for (const json& use : uses) {
    std::string fields;
    for (const std::string& field : TextList(use, "fields")) {
      fields += (fields.empty() ? "" : ", ") + titles.Field(Text(use, "class"), field);
    }
    table.Add({Text(use, "seq"), Text(use, "ts"), Text(use, "action"),
               titles.Class(Text(use, "class")), Text(use, "record"), fields, Text(use, "detail")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ReviewOne(const EmergencyOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer,
                client.Post(Target("/v1/emergency-access").Segment(options.id).Segment("review"),
                            json{{"finding", options.finding}}.dump()));
  return Show(options, answer, console);
}

void AddOpen(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<EmergencyOptions>();
  CLI::App* command = group.add_subcommand(
      "open", "Take access to one client now; somebody else reviews it within three days");
  command->add_option("client", options->client, "Client id (cli_...)")
      ->type_name("CLIENT")
      ->required();
  command->add_option("--purpose", options->purpose, "Purpose the access is good for")
      ->type_name("CODE")
      ->required();
  command->add_option("--ticket", options->ticket, "The case it is taken for")
      ->type_name("TICKET")
      ->required();
  command->add_option("--hours", options->hours, "Hours until it expires")
      ->type_name("N")
      ->check(CLI::Range(1, 24))
      ->capture_default_str();
  command->footer(
      "Example:\n  coffer emergency open cli_... --purpose complaint-handling \\\n"
      "    --ticket CASE-1042 --reason \"threat to life, case worker away\"");
  RunOnline(*command, chosen, options, Open);
  command->get_option("--reason")->required();
}

}  // namespace

void AddEmergencyCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("emergency", "Take access in an emergency, and review it");
  group->require_subcommand(1);
  AddOpen(*group, chosen);
  {
    auto options = std::make_shared<EmergencyOptions>();
    CLI::App* command =
        group->add_subcommand("list", "Show all emergency access, what is to be reviewed first");
    command->footer("Example:\n  coffer emergency list");
    RunOnline(*command, chosen, options, List, PurposeUse::kForNames);
  }
  {
    auto options = std::make_shared<EmergencyOptions>();
    CLI::App* command =
        group->add_subcommand("show", "Show one, and what was read and written under it");
    command->add_option("emergency", options->id, "Emergency id (emg_...)")
        ->type_name("ID")
        ->required();
    command->footer("Example:\n  coffer emergency show emg_...");
    RunOnline(*command, chosen, options, ShowOne, PurposeUse::kForNames);
  }
  {
    auto options = std::make_shared<EmergencyOptions>();
    CLI::App* command =
        group->add_subcommand("review", "Write down what the review of one has found");
    command->add_option("emergency", options->id, "Emergency id (emg_...)")
        ->type_name("ID")
        ->required();
    command->add_option("--finding", options->finding, "What was found; kept with it")
        ->type_name("TEXT")
        ->required();
    command->footer(
        "Example:\n  coffer emergency review emg_... --finding \"justified, see CASE-1042\"");
    RunOnline(*command, chosen, options, ReviewOne);
  }
}

}  // namespace coffer::cli
