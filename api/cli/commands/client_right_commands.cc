// coffer client: what is done about one client for its own rights, and the end of the relationship.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/client/client_lookup.h"
#include "api/cli/client/log_query.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/package_files.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kPackageLines = 500;

struct ClientOptions {
  ConnectionOptions connection;
  std::string client, restriction, class_name, basis, format = "json", out, relationship_end;
  bool byte_order_mark = false;  // of CSV
  bool lifted = false;
  std::vector<std::string> stopped, going_on;  // purposes
  std::vector<std::string> stopped_bases;
  std::string recipient;
};

Target RestrictionsOf(const std::string& client) {
  return Target("/v1/clients").Segment(client).Segment("restrictions");
}

std::string WhatOf(const json& restriction) {
  const auto class_name = Text(restriction, "class");
  return class_name.empty() ? "everything" : "class " + class_name;
}

std::string JoinedIn(const json& stops, const char* name) {
  std::string joined;
  for (const auto& word : TextList(stops, name)) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

std::string StopsOf(const json& restriction) {
  const json& stops = Member(restriction, "stops");
  if (stops.contains("all_but")) {
    const std::string but = JoinedIn(stops, "all_but");
    return but.empty() ? "all purposes" : "all but " + but;
  }
  std::string words = JoinedIn(stops, "purposes");
  const std::string bases = JoinedIn(stops, "legal_bases");
  if (bases.empty()) return words;
  return words + (words.empty() ? "" : ", and ") + "all based on " + bases;
}

Outcome<Exit> RestrictClient(const ClientOptions& options, Console& console) {
  json body = {{"basis", options.basis}};
  json& stops = body["stops"];
  if (!options.stopped.empty()) stops["purposes"] = options.stopped;
  if (!options.stopped_bases.empty()) stops["legal_bases"] = options.stopped_bases;
  if (stops.is_null()) stops["all_but"] = options.going_on;
  if (!options.class_name.empty()) body["class"] = options.class_name;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Post(RestrictionsOf(options.client), body.dump()));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  PrintFields(console, {{Text(answer, "kind"), Text(answer, "id")},
                        {"client", Text(answer, "client")},
                        {"restricted", WhatOf(answer)},
                        {"stops", StopsOf(answer)},
                        {"basis", Text(answer, "basis")},
                        {"since", Text(answer, "since")}});
  return Exit::kOk;
}

Outcome<Exit> LiftRestriction(const ClientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_TRY(client.Remove(RestrictionsOf(options.client).Segment(options.restriction)));
  if (options.connection.json) {
    PrintJson(console,
              {{"client", options.client}, {"restriction", options.restriction}, {"lifted", true}});
  } else {
    console.out << "Lifted; it counts from the next request on.\n";
  }
  return Exit::kOk;
}

Outcome<Exit> ListClientRestrictions(const ClientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target = RestrictionsOf(options.client);
  if (options.lifted) target.With("lifted", "true");
  COFFER_ASSIGN(const json answer, client.Get(target));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  const json& items = Member(answer, "items");
  if (items.empty()) {
    console.out << "Nothing of the client is restricted, and it objected to nothing.\n";
    return Exit::kOk;
  }
  Table table(
      {"ID", "KIND", "OF", "STOPS", "SINCE", "BY", "LIFTED", "LIFTED BY", "ENTRY", "BASIS"});
  for (const json& item : items) {
    const std::string by = Text(item, "placed_by");
    table.Add({Text(item, "id"), Text(item, "kind"), WhatOf(item), StopsOf(item),
               Text(item, "since"), by.empty() ? "the schedule" : by, Text(item, "lifted"),
               Text(item, "lifted_by"), Text(item, "lifted_entry"), Text(item, "basis")});
  }
  table.Print(console);
  return Exit::kOk;
}

std::string InOverview(const json& item) {
  const std::string count = Text(item, "count");
  std::string line;
  for (const auto& text : {count.empty() ? count : count + " of", Text(item, "what"),
                           Text(item, "state"), Text(item, "at")}) {
    if (!text.empty()) line += (line.empty() ? "" : " ") + text;
  }
  const std::string until = Text(item, "until"), entry = Text(item, "entry");
  if (!until.empty()) line += " until " + until;
  for (const auto& text : {Text(item, "id"), Text(item, "principal"), Text(item, "detail"),
                           entry.empty() ? entry : "entry " + entry}) {
    if (!text.empty()) line += ", " + text;
  }
  return line;
}

void PrintPart(const std::string& name, const json& part, Console& console) {
  console.out << '\n' << Printable(name) << ":";
  if (Text(part, "withheld") == "true") {
    console.out << " withheld from this role\n";
    return;
  }
  const json& items = Member(part, "items");
  if (items.empty()) console.out << " none";
  console.out << '\n';
  for (const json& item : items) console.out << "  " << Printable(InOverview(item)) << '\n';
  if (Text(part, "more") == "true") {
    console.out << "  and more: " << Printable(Text(part, "all")) << '\n';
  }
}

void PrintAccesses(const json& accesses, Console& console) {
  console.out << "\naccesses:";
  if (Text(accesses, "withheld") == "true") {
    console.out << " withheld from this role\n";
    return;
  }
  if (Text(accesses, "known") == "false") {
    console.out << " NOT KNOWN: the log's index is being made; ask again\n";
    return;
  }
  console.out << ' ' << Printable(Text(accesses, "reads")) << " by "
              << Printable(Text(accesses, "principals")) << " in "
              << Printable(Text(accesses, "days")) << " days"
              << (Text(accesses, "more") == "true" ? ", and more that were not counted" : "")
              << '\n';
  const json& last = Member(accesses, "last");
  if (last.is_object()) console.out << "  last: " << Printable(InOverview(last)) << '\n';
}

Outcome<Exit> ShowOverview(const ClientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json overview,
                client.Get(Target("/v1/clients").Segment(options.client).Segment("overview")));
  if (options.connection.json) {
    PrintJson(console, overview);
    return Exit::kOk;
  }
  std::string classes;
  for (const json& one : Member(overview, "classes")) {
    classes += (classes.empty() ? "" : ", ") + Text(one, "records") + " " + Text(one, "class");
  }
  if (overview.contains("hidden")) {
    classes += (classes.empty() ? "" : ", ") + Text(overview, "hidden") + " of hidden classes";
  }
  PrintFields(console,
              {{"client", Text(overview, "client")},
               {"state", Text(overview, "state")},
               {"created", Text(overview, "created")},
               {"updated", Text(overview, "updated")},
               {"relationship end", Text(overview, "relationship_end")},
               {"records", classes.empty() ? "none" : classes},
               {"old versions", Text(overview, "old_versions") +
                                    (overview.contains("more_versions") ? " and more" : "")}});
  static constexpr const char* kOverviewParts[] = {
      "consents",    "requests",    "restrictions", "holds",    "assignments", "leases",
      "emergencies", "disclosures", "to_tell",      "erasures", "retention"};
  for (const char* const part : kOverviewParts) {
    PrintPart(part, Member(overview, part), console);
  }
  PrintAccesses(Member(overview, "accesses"), console);
  return Exit::kOk;
}

Outcome<json> FetchPackage(ApiClient& client, const std::string& id, const std::string& recipient) {
  json lines = json::array();
  json body = {{"limit", kPackageLines}};
  if (!recipient.empty()) body["recipient"] = recipient;
  do {
    COFFER_ASSIGN(const json page,
                  client.Post(Target("/v1/clients").Segment(id).Segment("package"), body.dump()));
    for (const json& line : Member(page, "items")) lines.push_back(line);
    const std::string next = Text(page, "next_cursor");
    if (!next.empty() && body.value("cursor", "") == next) {
      return Failed(Exit::kFailed, "the server's pages do not end");
    }
    body["cursor"] = next;
  } while (!body["cursor"].get_ref<const std::string&>().empty());
  return lines;
}

Outcome<Exit> PackageClient(const ClientOptions& options, Console& console) {
  // Nothing is disclosed that could not be written.
  const auto format =
      options.format == "csv" ? PackageFiles::Format::kCsv : PackageFiles::Format::kJson;
  COFFER_ASSIGN(PackageFiles files,
                PackageFiles::PlacedIn(options.out, format, options.byte_order_mark));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json lines, FetchPackage(client, options.client, options.recipient));
  COFFER_TRY(files.Write(lines));
  const std::size_t records = lines.empty() ? 0 : lines.size() - 1;
  if (options.connection.json) {
    PrintJson(console, {{"client", options.client}, {"records", records}, {"out", options.out}});
  } else {
    console.out << "The client and " << Grouped(records) << " records are in "
                << Printable(options.out)
                << ".\nThey are not encrypted there, and an erasure does not reach them.\n";
  }
  return Exit::kOk;
}

Outcome<Exit> UpdateClient(const ClientOptions& options, Console& console) {
  json body = {{"relationship_end", nullptr}};
  if (options.relationship_end != "none") {
    COFFER_ASSIGN(body["relationship_end"],
                  NormalisedTime(options.relationship_end, "--relationship-end"));
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  const Target target = Target("/v1/clients").Segment(options.client);
  COFFER_ASSIGN(const json before, client.Get(target));
  HttpRequest request;
  request.method = "PATCH";
  request.target = target.text();
  request.body = body.dump();
  request.content_type = "application/json";
  request.headers.emplace_back("If-Match", "\"" + Text(before, "version") + "\"");
  COFFER_ASSIGN(const HttpReply reply, client.Send(std::move(request)));
  COFFER_ASSIGN(const json after, ParseAnswer(reply.body));
  if (options.connection.json) {
    PrintJson(console, after);
    return Exit::kOk;
  }
  const std::string end = Text(after, "relationship_end");
  PrintFields(console, {{"client", Text(after, "id")},
                        {"version", Text(after, "version")},
                        {"relationship ended", end.empty() ? "no: it goes on" : end}});
  return Exit::kOk;
}

CLI::App* AddOnClient(CLI::App& group, ClientOptions& options, const char* name, const char* help) {
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("client", options.client, "Client id (cli_...)")
      ->type_name("CLIENT")
      ->required();
  return command;
}

void AddRestrictions(CLI::App& group, Command& chosen) {
  {
    auto options = std::make_shared<ClientOptions>();
    CLI::App* command =
        AddOnClient(group, *options, "restrict", "Keep a client, and stop purposes for it");
    command->add_option("--class", options->class_name, "Only its records of this class")
        ->type_name("NAME");
    command->add_option("--basis", options->basis, "Why, in words; it is not in the log")
        ->type_name("TEXT")
        ->required();
    CLI::Option* const stop =
        command->add_option("--stop", options->stopped, "A purpose that is stopped; repeatable")
            ->type_name("CODE");
    CLI::Option* const stop_basis =
        command
            ->add_option("--stop-basis", options->stopped_bases,
                         "A legal basis: purposes that rest on it are stopped; repeatable")
            ->type_name("BASIS");
    command
        ->add_option("--for", options->going_on,
                     "A purpose that goes on while all others are stopped; repeatable")
        ->type_name("CODE")
        ->excludes(stop)
        ->excludes(stop_basis);
    command->footer(
        "With --stop or --stop-basis it is an objection; without them and --for all purposes are "
        "stopped. It stands beside the client's others.\n\n"
        "Examples:\n  coffer client restrict cli_... --basis \"the address is disputed\" \\\n"
        "    --for complaint-handling\n"
        "  coffer client restrict cli_... --basis \"objection of 3 May\" --stop marketing\n"
        "  coffer client restrict cli_... --basis \"objection of 4 May\" \\\n"
        "    --stop-basis legitimate-interests");
    RunOnline(*command, chosen, options, RestrictClient);
  }
  {
    auto options = std::make_shared<ClientOptions>();
    CLI::App* command = AddOnClient(group, *options, "unrestrict", "Lift a restriction");
    command->add_option("restriction", options->restriction, "Restriction id (rst_...)")
        ->type_name("RESTRICTION")
        ->required();
    command->footer(
        "Example:\n  coffer client unrestrict cli_... rst_... --reason \"corrected, see K-12\"");
    RunOnline(*command, chosen, options, LiftRestriction);
    command->get_option("--reason")->required();
  }
  auto options = std::make_shared<ClientOptions>();
  CLI::App* command = AddOnClient(group, *options, "restrictions",
                                  "Show what of a client is restricted, and what it objected to");
  command->add_flag("--lifted", options->lifted, "Also what was lifted, and by whom");
  command->footer("Example:\n  coffer client restrictions cli_... --lifted");
  RunOnline(*command, chosen, options, ListClientRestrictions);
}

}  // namespace

void AddClientCommands(CLI::App& app, Command& chosen) {
  CLI::App* group =
      app.add_subcommand("client", "Make, list, change, restrict and hand over clients");
  group->require_subcommand(1);
  AddClientRegisterCommands(*group, chosen);
  AddRestrictions(*group, chosen);
  {
    auto options = std::make_shared<ClientOptions>();
    CLI::App* command =
        AddOnClient(*group, *options, "package", "Write everything of a client, to hand it over");
    command->add_flag("--bom", options->byte_order_mark,
                      "Begin CSV files with a byte order mark, by which Excel knows UTF-8");
    command->add_option("--format", options->format, "json: one file; csv: a directory of tables")
        ->check(CLI::IsMember({"json", "csv"}))
        ->capture_default_str();
    command->add_option("--out", options->out, "New file, or with csv new directory")
        ->type_name("FILE")
        ->required();
    command
        ->add_option("--recipient", options->recipient,
                     "To whom it goes (rcp_...): recorded as a disclosure")
        ->type_name("RECIPIENT");
    command->footer(
        "Example:\n  coffer client package cli_... --purpose data-subject-request --format csv \\\n"
        "    --out client-1042");
    RunOnline(*command, chosen, options, PackageClient, PurposeUse::kRequired);
  }
  {
    auto options = std::make_shared<ClientOptions>();
    CLI::App* command = AddOnClient(*group, *options, "overview",
                                    "Show how the vault handles a client, without its data");
    command->footer(
        "Consents, requests, restrictions, holds, who has it, recipients, retention, accesses.\n"
        "The client may be erased. Example:\n  coffer client overview cli_...");
    RunOnline(*command, chosen, options, ShowOverview);
  }
  auto options = std::make_shared<ClientOptions>();
  CLI::App* command = AddOnClient(*group, *options, "update", "Change what is known of a client");
  command
      ->add_option("--relationship-end", options->relationship_end,
                   "When the relationship ended, or none: it goes on")
      ->type_name("TIME")
      ->required();
  command->footer(
      "Example:\n  coffer client update cli_... --relationship-end 2026-03-31 \\\n"
      "    --purpose client-care");
  RunOnline(*command, chosen, options, UpdateClient, PurposeUse::kRequired);
}

}  // namespace coffer::cli
