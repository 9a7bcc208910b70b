// coffer assign, unassign, lease, explain: who works with whom, and why a request is allowed.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "api/cli/client/class_titles.h"
#include "api/cli/client/client_lookup.h"
#include "api/cli/client/connection.h"
#include "api/cli/client/principal_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct AssignOptions {
  ConnectionOptions connection;
  std::string client, principal, starts, ends;
};

struct LeaseOptions {
  ConnectionOptions connection;
  std::string client, principal, class_name, purpose, ticket, id, conditions;
  std::vector<std::string> fields;
  int hours = 1;
};

struct ExplainOptions {
  ConnectionOptions connection;
  std::string principal, action, client, class_name, purpose, at, address;
  bool reason = false, ticket = false, certificate = false;
  std::optional<std::uint32_t> class_version, second_factor_minutes;
};

Target ClientTarget(const std::string& client) { return Target("/v1/clients").Segment(client); }

void PutText(json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}

std::string JoinedFields(const json& lease, const ClassTitles& titles) {
  std::string joined;
  for (const std::string& field : TextList(lease, "fields")) {
    joined += (joined.empty() ? "" : ", ") + titles.Field(Text(lease, "class"), field);
  }
  return joined;
}

// "grant 2 of case-worker (assigned), emergency emg_..."
std::string WhatShows(const json& sources, const json& answer) {
  std::string words;
  if (!sources.is_array()) return words;
  for (const json& source : sources) {
    const std::string by = Text(source, "by");
    if (!words.empty()) words += ", ";
    if (by != "grant") {
      words += by + " " + Text(source, "id");
      continue;
    }
    words += "grant " + Text(source, "grant") + " of " + Text(answer, "role");
    const std::string scope = Text(source, "scope");
    if (scope == "assigned") {
      std::string to;
      for (const std::string& id : TextList(answer, "assigned_to")) {
        to += (to.empty() ? "" : " ") + id;
      }
      words += " (assigned to " + to + ")";
    } else if (scope != "all") {
      words += " (" + scope + ")";
    }
  }
  return words;
}

std::string ConditionsOf(const json& lease) {
  const json& own = Member(lease, "conditions");
  return own.is_null() ? "the role's" : own.empty() ? "none" : own.dump();
}

void PrintAssignments(Console& console, const json& items) {
  Table table({"PRINCIPAL", "STARTS", "ENDS", "GIVEN BY"});
  table.FirstIsReference();
  for (const json& item : items) {
    table.Add({Text(item, "principal"), Text(item, "starts"), Text(item, "ends"),
               Text(item, "given_by")});
  }
  table.Print(console);
}

void PrintLeases(Console& console, ApiClient& client, const json& items) {
  const ClassTitles titles = ClassTitles::Read(client, ClassesOf(items), console);
  Table table(
      {"LEASE", "PRINCIPAL", "CLASS", "FIELDS", "PURPOSE", "TICKET", "EXPIRES", "CONDITIONS"});
  for (const json& item : items) {
    table.Add({Text(item, "id"), Text(item, "principal"), titles.Class(Text(item, "class")),
               JoinedFields(item, titles), Text(item, "purpose"), Text(item, "ticket"),
               Text(item, "expires"), ConditionsOf(item)});
  }
  table.Print(console);
}

Outcome<Exit> Assign(const AssignOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string principal, ResolvePrincipal(client, options.principal));
  json terms = json::object();
  PutText(terms, "starts", options.starts);
  PutText(terms, "ends", options.ends);
  COFFER_ASSIGN(const json answer,
                client.Put(ClientTarget(options.client).Segment("assignments").Segment(principal),
                           terms.dump()));
  if (options.connection.json) {
    PrintJson(console, answer);
  } else {
    PrintAssignments(console, json::array({answer}));
  }
  return Exit::kOk;
}

Outcome<Exit> Unassign(const AssignOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string principal, ResolvePrincipal(client, options.principal));
  HttpRequest request;
  request.method = "DELETE";
  request.target = ClientTarget(options.client).Segment("assignments").Segment(principal).text();
  COFFER_TRY(client.Send(std::move(request)));
  if (!options.connection.json) {
    console.out << Printable(options.principal) << " works with " << Printable(options.client)
                << " no more\n";
  }
  return Exit::kOk;
}

// Of one person, from all pages.
Outcome<Exit> ListAssignmentsOf(const AssignOptions& options, ApiClient& client, Console& console) {
  COFFER_ASSIGN(const std::string principal, ResolvePrincipal(client, options.principal));
  Target target("/v1/assignments");
  target.With("principal", principal).With("limit", "200");
  COFFER_ASSIGN(const json answer, CollectPages(client, target));
  const json& items = answer.is_array() ? answer : Member(answer, "items");
  if (options.connection.json) {
    PrintJson(console, {{"items", items}});
    return Exit::kOk;
  }
  Table table({"CLIENT", "STARTS", "ENDS", "GIVEN BY"});
  table.FirstIsReference();
  for (const json& item : items) {
    table.Add(
        {Text(item, "client"), Text(item, "starts"), Text(item, "ends"), Text(item, "given_by")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ListAssignments(const AssignOptions& options, Console& console) {
  if (options.client.empty() == options.principal.empty()) {
    return Failed(Exit::kUsage, "whose assignments are wanted is not said",
                  "Give a client, or a person with --of.");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  if (!options.principal.empty()) return ListAssignmentsOf(options, client, console);
  COFFER_ASSIGN(const json answer, client.Get(ClientTarget(options.client).Segment("assignments")));
  if (options.connection.json) {
    PrintJson(console, answer);
  } else {
    PrintAssignments(console, Member(answer, "items"));
  }
  return Exit::kOk;
}

Outcome<Exit> GiveLease(const LeaseOptions& options, Console& console) {
  json request = {{"class", options.class_name},
                  {"fields", options.fields},
                  {"purpose", options.purpose},
                  {"ticket", options.ticket},
                  {"lifetime_s", options.hours * 3600}};
  if (!options.conditions.empty()) {
    const auto conditions = vault::ParseStrictJson(options.conditions);
    if (!conditions || !conditions->is_object()) {
      return Failed(Exit::kUsage, "the conditions are no JSON object",
                    "Give them as a role's grant has them, such as '{\"ticket\": true}'.");
    }
    request["conditions"] = *conditions;
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(request["principal"], ResolvePrincipal(client, options.principal));
  COFFER_ASSIGN(const json answer,
                client.Post(ClientTarget(options.client).Segment("leases"), request.dump()));
  if (options.connection.json) {
    PrintJson(console, answer);
  } else {
    PrintLeases(console, client, json::array({answer}));
  }
  return Exit::kOk;
}

Outcome<Exit> EndLease(const LeaseOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer,
                client.Delete(ClientTarget(options.client).Segment("leases").Segment(options.id)));
  if (options.connection.json) {
    PrintJson(console, answer);
  } else {
    PrintLeases(console, client, json::array({answer}));
  }
  return Exit::kOk;
}

Outcome<Exit> ListLeases(const LeaseOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Get(ClientTarget(options.client).Segment("leases")));
  if (options.connection.json) {
    PrintJson(console, answer);
  } else {
    PrintLeases(console, client, Member(answer, "items"));
  }
  return Exit::kOk;
}

void PrintLeaseAnswers(Console& console, const json& leases) {
  if (!leases.is_array()) return;
  Table table({"LEASE", "COUNTS", "CONDITIONS"});
  for (const json& lease : leases) {
    const bool open = Text(lease, "open") == "true";
    table.Add(
        {Text(lease, "id"), open ? "yes" : "no: " + Text(lease, "code"), ConditionsOf(lease)});
  }
  table.Print(console);
}

Outcome<Exit> Explain(const ExplainOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string principal, ResolvePrincipal(client, options.principal));
  json question = {{"principal", principal}, {"action", options.action}};
  PutText(question, "client", options.client);
  PutText(question, "class", options.class_name);
  if (options.class_version) question["class_version"] = *options.class_version;
  PutText(question, "purpose", options.purpose);
  PutText(question, "at", options.at);
  question["reason"] = options.reason;
  question["ticket"] = options.ticket;
  PutText(question, "address", options.address);
  question["certificate"] = options.certificate;
  if (options.second_factor_minutes) {
    question["second_factor_minutes"] = *options.second_factor_minutes;
  }
  COFFER_ASSIGN(const json answer, client.Post(Target("/v1/access/explain"), question.dump()));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  const bool allowed = Text(answer, "allowed") == "true";
  PrintFields(console, {{"decision", allowed ? "allowed" : "refused"},
                        {"by", Text(answer, "rule")},
                        {"told", Text(answer, "code")},
                        {"role", Text(answer, "role")},
                        {"role version", Text(answer, "role_version")},
                        {"grants", Text(answer, "grants")}});
  PrintLeaseAnswers(console, Member(answer, "leases"));
  const json& fields = Member(answer, "fields");
  if (!fields.is_object()) return Exit::kOk;
  const json& plain = Member(answer, "plain");
  const ClassTitles titles = ClassTitles::Read(client, {options.class_name}, console);
  Table table({"FIELD", "VIEW", "PLAIN BY"});
  for (const auto& [name, view] : fields.items()) {
    table.Add({titles.Field(options.class_name, name), TextOf(view),
               WhatShows(Member(plain, name), answer)});
  }
  table.Print(console);
  return Exit::kOk;
}

void AddClient(CLI::App& command, std::string& client) {
  command.add_option("client", client, "Client id (cli_...)")->type_name("CLIENT")->required();
}

void AddPrincipal(CLI::App& command, std::string& principal) {
  command
      .add_option("principal", principal,
                  "Who: a login, the name of a team or of a service, or an id (usr_..., svc_..., "
                  "team_...)")
      ->type_name("PRINCIPAL")
      ->required();
}

}  // namespace

void AddAssignmentCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("assignment", "Say who works with which client");
  group->require_subcommand(1);
  {
    auto options = std::make_shared<AssignOptions>();
    CLI::App* command = group->add_subcommand("put", "Assign a client to a principal");
    AddClient(*command, options->client);
    AddPrincipal(*command, options->principal);
    command->add_option("--starts", options->starts, "When it begins; without it, now")
        ->type_name("TIME");
    command->add_option("--ends", options->ends, "When it ends; without it, when it is taken away")
        ->type_name("TIME");
    command->footer(
        "Example:\n  coffer assignment put cli_... svc_... --ends 2027-01-01T00:00:00Z");
    RunOnline(*command, chosen, options, Assign);
  }
  {
    auto options = std::make_shared<AssignOptions>();
    CLI::App* command = group->add_subcommand("delete", "Take a client from a principal");
    AddClient(*command, options->client);
    AddPrincipal(*command, options->principal);
    command->footer("Example:\n  coffer assignment delete cli_... svc_...");
    RunOnline(*command, chosen, options, Unassign);
  }
  {
    auto options = std::make_shared<AssignOptions>();
    CLI::App* command = group->add_subcommand(
        "list", "Show who works with a client, or with which clients somebody works");
    command->add_option("client", options->client, "Client id (cli_...)")->type_name("CLIENT");
    command
        ->add_option("--of", options->principal,
                     "Instead, whose clients: a login, a team's or service's name, an id")
        ->type_name("WHO");
    command->footer(
        "Examples:\n  coffer assignment list cli_...\n  coffer assignment list --of anna");
    RunOnline(*command, chosen, options, ListAssignments, PurposeUse::kForNames);
  }
  AddHandOverCommand(*group, chosen);
}

void AddLeaseCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("lease", "Let somebody see masked fields for a while");
  group->require_subcommand(1);
  {
    auto options = std::make_shared<LeaseOptions>();
    CLI::App* command = group->add_subcommand("give", "Give a lease on one client");
    AddClient(*command, options->client);
    AddPrincipal(*command, options->principal);
    command->add_option("--class", options->class_name, "Class of the records")
        ->type_name("NAME")
        ->required();
    command->add_option("--field", options->fields, "Field to be seen; may be repeated")
        ->type_name("NAME")
        ->required();
    command->add_option("--for", options->purpose, "Purpose the lease is good for")
        ->type_name("CODE")
        ->required();
    command->add_option("--ticket", options->ticket, "The case it is given for")
        ->type_name("TICKET")
        ->required();
    command->add_option("--hours", options->hours, "Hours until it expires")
        ->type_name("N")
        ->check(CLI::Range(1, 720))
        ->capture_default_str();
    command
        ->add_option("--conditions", options->conditions,
                     "What counts in the place of the conditions of the holder's role, as in a\n"
                     "role's grant; {} for nothing")
        ->type_name("JSON");
    command->footer(
        "Example:\n  coffer lease give cli_... svc_... --class complaint \\\n"
        "    --field special_circumstances --for complaint-handling --ticket CASE-1042");
    RunOnline(*command, chosen, options, GiveLease);
  }
  {
    auto options = std::make_shared<LeaseOptions>();
    CLI::App* command = group->add_subcommand("end", "End a lease before its time");
    AddClient(*command, options->client);
    command->add_option("lease", options->id, "Lease id (lease_...)")
        ->type_name("LEASE")
        ->required();
    command->footer("Example:\n  coffer lease end cli_... lease_...");
    RunOnline(*command, chosen, options, EndLease);
  }
  {
    auto options = std::make_shared<LeaseOptions>();
    CLI::App* command = group->add_subcommand("list", "Show the leases on a client");
    AddClient(*command, options->client);
    command->footer("Example:\n  coffer lease list cli_...");
    RunOnline(*command, chosen, options, ListLeases);
  }
}

void AddExplainCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command =
      app.add_subcommand("explain", "Say why a request would be allowed or refused");
  AddPrincipal(*command, options->principal);
  command->add_option("action", options->action, "What would be done, as in the log: record.read")
      ->type_name("ACTION")
      ->required();
  command->add_option("--client", options->client, "On which client (cli_...)")
      ->type_name("CLIENT");
  command->add_option("--class", options->class_name, "With records of which class")
      ->type_name("NAME");
  command
      ->add_option("--class-version", options->class_version,
                   "Written under which version of it; without it, the newest")
      ->type_name("N");
  command->add_option("--for", options->purpose, "For which purpose")->type_name("CODE");
  command->add_option("--at", options->at, "When; without it, now")->type_name("TIME");
  command->add_flag("--with-reason", options->reason, "A reason would be given");
  command->add_flag("--with-ticket", options->ticket, "A ticket would be given");
  command->add_option("--from", options->address, "From which address")->type_name("ADDRESS");
  command->add_flag("--certificate", options->certificate, "A client certificate would be shown");
  command
      ->add_option("--second-factor-minutes", options->second_factor_minutes,
                   "How many minutes ago the second factor was given; without it, never")
      ->type_name("N");
  command->footer(
      "Example:\n  coffer explain svc_... record.read --client cli_... --class complaint \\\n"
      "    --for complaint-handling");
  RunOnline(*command, chosen, options, Explain);
}

}  // namespace coffer::cli
