// coffer client: what is done about one client for its own rights, and the end of the relationship.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/client_lookup.h"
#include "api/cli/commands.h"
#include "api/cli/json_view.h"
#include "api/cli/log_query.h"
#include "api/cli/package_files.h"
#include "api/cli/run_with.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kPackageLines = 500;

struct ClientOptions {
  ConnectionOptions connection;
  std::string client, class_name, basis, format = "json", out, relationship_end;
  std::vector<std::string> purposes;
};

Target RestrictionsOf(const std::string& client) {
  return Target("/v1/clients").Segment(client).Segment("restrictions");
}

std::string WhatOf(const json& restriction) {
  const auto class_name = Text(restriction, "class");
  return class_name.empty() ? "everything" : "class " + class_name;
}

std::string PurposesOf(const json& restriction) {
  std::string joined;
  for (const auto& purpose : TextList(restriction, "purposes")) {
    joined += (joined.empty() ? "" : " ") + purpose;
  }
  return joined.empty() ? "none" : joined;
}

Outcome<Exit> RestrictClient(const ClientOptions& options, Console& console) {
  json body = {{"basis", options.basis}, {"purposes", options.purposes}};
  if (!options.class_name.empty()) body["class"] = options.class_name;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Put(RestrictionsOf(options.client), body.dump()));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  PrintFields(console, {{"client", Text(answer, "client")},
                        {"restricted", WhatOf(answer)},
                        {"basis", Text(answer, "basis")},
                        {"purposes that go on", PurposesOf(answer)},
                        {"since", Text(answer, "since")}});
  return Exit::kOk;
}

Outcome<Exit> LiftRestriction(const ClientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_TRY(client.Remove(RestrictionsOf(options.client).With("class", options.class_name)));
  if (options.connection.json) {
    PrintJson(console, {{"client", options.client}, {"lifted", true}});
  } else {
    console.out << "Lifted; it counts from the next request on.\n";
  }
  return Exit::kOk;
}

Outcome<Exit> ListClientRestrictions(const ClientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Get(RestrictionsOf(options.client)));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"RESTRICTED", "PURPOSES THAT GO ON", "SINCE", "BY", "BASIS"});
  for (const json& item : Member(answer, "items")) {
    const std::string by = Text(item, "placed_by");
    table.Add({WhatOf(item), PurposesOf(item), Text(item, "since"),
               by.empty() ? "the schedule" : by, Text(item, "basis")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<json> FetchPackage(ApiClient& client, const std::string& id) {
  json lines = json::array();
  json body = {{"limit", kPackageLines}};
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
  std::error_code unknown;
  if (std::filesystem::exists(options.out, unknown)) {
    return Failed(Exit::kUsage, "\"" + options.out + "\" exists already", "Name a new one.");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json lines, FetchPackage(client, options.client));
  const bool csv = options.format == "csv";
  COFFER_TRY(csv ? WriteCsvPackage(lines, options.out) : WriteJsonPackage(lines, options.out));
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
        AddOnClient(group, *options, "restrict", "Keep a client, and use it for nothing else");
    command->add_option("--class", options->class_name, "Only its records of this class")
        ->type_name("NAME");
    command->add_option("--basis", options->basis, "Why, in words; it is not in the log")
        ->type_name("TEXT")
        ->required();
    command->add_option("--for", options->purposes, "A purpose that goes on; repeatable")
        ->type_name("CODE");
    command->footer(
        "Example:\n  coffer client restrict cli_... --basis \"the address is disputed\" \\\n"
        "    --for complaint-handling");
    RunOnline(*command, chosen, options, RestrictClient);
  }
  {
    auto options = std::make_shared<ClientOptions>();
    CLI::App* command = AddOnClient(group, *options, "unrestrict", "Lift a restriction");
    command->add_option("--class", options->class_name, "That of this class, not of the client")
        ->type_name("NAME");
    command->footer(
        "Example:\n  coffer client unrestrict cli_... --reason \"corrected, see K-12\"");
    RunOnline(*command, chosen, options, LiftRestriction);
    command->get_option("--reason")->required();
  }
  auto options = std::make_shared<ClientOptions>();
  CLI::App* command =
      AddOnClient(group, *options, "restrictions", "Show what of a client is restricted");
  command->footer("Example:\n  coffer client restrictions cli_...");
  RunOnline(*command, chosen, options, ListClientRestrictions);
}

}  // namespace

void AddClientCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("client", "Restrict, hand over or change one client");
  group->require_subcommand(1);
  AddRestrictions(*group, chosen);
  {
    auto options = std::make_shared<ClientOptions>();
    CLI::App* command =
        AddOnClient(*group, *options, "package", "Write everything of a client, to hand it over");
    command->add_option("--format", options->format, "json: one file; csv: a directory of tables")
        ->check(CLI::IsMember({"json", "csv"}))
        ->capture_default_str();
    command->add_option("--out", options->out, "New file, or with csv new directory")
        ->type_name("FILE")
        ->required();
    command->footer(
        "Example:\n  coffer client package cli_... --purpose data-subject-request --format csv \\\n"
        "    --out client-1042");
    RunOnline(*command, chosen, options, PackageClient, PurposeUse::kRequired);
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
