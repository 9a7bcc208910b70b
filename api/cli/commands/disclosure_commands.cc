// coffer recipient, coffer disclosure: to whom data goes, what was given, and who is to be told.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/client_lookup.h"
#include "api/cli/client/log_query.h"
#include "api/cli/client/principal_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kClientsAtOnce = 1000;

struct RecipientOptions {
  ConnectionOptions connection;
  std::string id, name, category, contact, country, safeguard, contract, since, until, state;
  std::string principal;
};
struct DisclosureOptions {
  ConnectionOptions connection;
  std::string id, recipient, given, basis, purpose, channel, reference, client, at, not_told;
  std::vector<std::string> clients, classes;
  std::optional<std::uint64_t> until;
};

Target RecipientTarget(const std::string& id) { return Target("/v1/recipients").Segment(id); }
Target DisclosureTarget(const std::string& id) { return Target("/v1/disclosures").Segment(id); }

void PutWhereSaid(json& body, const char* member, const std::string& text) {
  if (!text.empty()) body[member] = text;
}

std::string InOneLine(const json& object, std::string_view member) {
  std::string joined;
  for (const auto& text : TextList(object, member)) joined += (joined.empty() ? "" : " ") + text;
  return joined;
}

Outcome<Exit> ShowRecipient(const ConnectionOptions& connection, const json& recipient,
                            Console& console) {
  if (connection.json) {
    PrintJson(console, recipient);
    return Exit::kOk;
  }
  PrintFields(console, {{"id", Text(recipient, "id")},
                        {"state", Text(recipient, "state")},
                        {"name", Text(recipient, "name")},
                        {"category", Text(recipient, "category")},
                        {"contact", Text(recipient, "contact")},
                        {"country", Text(recipient, "country")},
                        {"safeguard", Text(recipient, "safeguard")},
                        {"contract", Text(recipient, "contract")},
                        {"since", Text(recipient, "since")},
                        {"until", Text(recipient, "until")},
                        {"version", Text(recipient, "version")},
                        {"accounts", InOneLine(recipient, "principals")},
                        {"ended", Text(recipient, "ended")}});
  console.out << '\n';
  Table table({"NUMBER", "STEP", "AT", "BY", "ENTRY"});
  for (const json& event : Member(recipient, "history")) {
    table.Add({Text(event, "number"), Text(event, "step"), Text(event, "at"), Text(event, "by"),
               Text(event, "entry")});
  }
  table.Print(console);
  return Exit::kOk;
}

json FactsBody(const RecipientOptions& options) {
  json body = {{"name", options.name}, {"category", options.category}};
  PutWhereSaid(body, "contact", options.contact);
  PutWhereSaid(body, "country", options.country);
  PutWhereSaid(body, "safeguard", options.safeguard);
  PutWhereSaid(body, "contract", options.contract);
  PutWhereSaid(body, "since", options.since);
  PutWhereSaid(body, "until", options.until);
  return body;
}

Outcome<Exit> CreateRecipient(const RecipientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json recipient,
                client.Post(Target("/v1/recipients"), FactsBody(options).dump()));
  return ShowRecipient(options.connection, recipient, console);
}

Outcome<Exit> ListRecipients(const RecipientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/recipients");
  target.With("state", options.state);
  COFFER_ASSIGN(const json recipients, CollectPages(client, target));
  if (options.connection.json) {
    PrintJson(console, {{"items", recipients}});
    return Exit::kOk;
  }
  Table table({"RECIPIENT", "STATE", "NAME", "CATEGORY", "COUNTRY", "SAFEGUARD", "ACCOUNTS"});
  for (const json& one : recipients) {
    table.Add({Text(one, "id"), Text(one, "state"), Text(one, "name"), Text(one, "category"),
               Text(one, "country"), Text(one, "safeguard"), InOneLine(one, "principals")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowOneRecipient(const RecipientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json recipient, client.Get(RecipientTarget(options.id)));
  return ShowRecipient(options.connection, recipient, console);
}

// What is not said stays: the server is told all of it.
Outcome<Exit> ChangeRecipient(const RecipientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json known, client.Get(RecipientTarget(options.id)));
  json body = json::object();
  for (const char* member :
       {"name", "category", "contact", "country", "safeguard", "contract", "since", "until"}) {
    PutWhereSaid(body, member, Text(known, member));
  }
  const json said = FactsBody(options);
  for (const auto& [member, value] : said.items()) {
    if (!value.get_ref<const std::string&>().empty()) body[member] = value;
  }
  COFFER_ASSIGN(const json recipient, client.Put(RecipientTarget(options.id), body.dump()));
  return ShowRecipient(options.connection, recipient, console);
}

Outcome<Exit> EndRecipient(const RecipientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json recipient,
                client.PostNothing(RecipientTarget(options.id).Segment("end")));
  return ShowRecipient(options.connection, recipient, console);
}

Outcome<Exit> BindAccount(const RecipientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string account, ResolvePrincipal(client, options.principal));
  COFFER_ASSIGN(const json recipient,
                client.Put(RecipientTarget(options.id).Segment("principals").Segment(account), ""));
  return ShowRecipient(options.connection, recipient, console);
}

Outcome<Exit> UnbindAccount(const RecipientOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string account, ResolvePrincipal(client, options.principal));
  COFFER_TRY(client.Remove(RecipientTarget(options.id).Segment("principals").Segment(account)));
  COFFER_ASSIGN(const json recipient, client.Get(RecipientTarget(options.id)));
  return ShowRecipient(options.connection, recipient, console);
}

Outcome<Exit> ShowDisclosure(const ConnectionOptions& connection, const json& disclosure,
                             Console& console) {
  if (connection.json) {
    PrintJson(console, disclosure);
    return Exit::kOk;
  }
  PrintFields(console, {{"id", Text(disclosure, "id")},
                        {"recipient", Text(disclosure, "recipient")},
                        {"source", Text(disclosure, "source")},
                        {"given", Text(disclosure, "given")},
                        {"basis", Text(disclosure, "basis")},
                        {"purpose", Text(disclosure, "purpose")},
                        {"channel", Text(disclosure, "channel")},
                        {"reference", Text(disclosure, "reference")},
                        {"recorded", Text(disclosure, "recorded")},
                        {"recorded by", Text(disclosure, "recorded_by")},
                        {"entry", Text(disclosure, "entry")},
                        {"clients", Text(disclosure, "clients")}});
  return Exit::kOk;
}

// More clients than one request takes are added to it afterwards.
Outcome<Exit> RecordDisclosure(const DisclosureOptions& options, Console& console) {
  const auto clients_from = [&](std::size_t at) {
    json part = json::array();
    for (; at < options.clients.size() && part.size() < kClientsAtOnce; ++at) {
      part.push_back(options.clients[at]);
    }
    return part;
  };
  json body = {{"recipient", options.recipient},
               {"basis", options.basis},
               {"channel", options.channel},
               {"clients", clients_from(0)}};
  COFFER_ASSIGN(const std::string given, NormalisedTime(options.given, "--given"));
  PutWhereSaid(body, "given", given);
  PutWhereSaid(body, "purpose", options.purpose);
  PutWhereSaid(body, "reference", options.reference);
  if (!options.classes.empty()) body["classes"] = options.classes;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(json disclosure, client.Post(Target("/v1/disclosures"), body.dump()));
  for (std::size_t at = kClientsAtOnce; at < options.clients.size(); at += kClientsAtOnce) {
    json more = {{"clients", clients_from(at)}};
    if (!options.classes.empty()) more["classes"] = options.classes;
    COFFER_ASSIGN(
        disclosure,
        client.Post(DisclosureTarget(Text(disclosure, "id")).Segment("clients"), more.dump()));
  }
  return ShowDisclosure(options.connection, disclosure, console);
}

Outcome<Exit> ListDisclosures(const DisclosureOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/disclosures");
  target.With("recipient", options.recipient).With("client", options.client);
  COFFER_ASSIGN(const json disclosures, CollectPages(client, target));
  if (options.connection.json) {
    PrintJson(console, {{"items", disclosures}});
    return Exit::kOk;
  }
  Table table({"DISCLOSURE", "RECIPIENT", "SOURCE", "GIVEN", "CLIENTS", "CLASSES", "ENTRY"});
  for (const json& one : disclosures) {
    const json& given = Member(one, "given_of_client");
    const bool of_one = given.is_object();
    const std::string classes = !of_one                      ? ""
                                : !given.contains("classes") ? "not known"
                                                             : InOneLine(given, "classes");
    table.Add({Text(one, "id"), Text(one, "recipient"), Text(one, "source"), Text(one, "given"),
               Text(one, "clients"), classes, Text(of_one ? given : one, "entry")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowOneDisclosure(const DisclosureOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(json disclosure, client.Get(DisclosureTarget(options.id)));
  COFFER_ASSIGN(const json clients,
                CollectPages(client, DisclosureTarget(options.id).Segment("clients")));
  if (options.connection.json) {
    disclosure["given_to"] = clients;
    PrintJson(console, disclosure);
    return Exit::kOk;
  }
  COFFER_TRY(ShowDisclosure(options.connection, disclosure, console));
  console.out << '\n';
  Table table({"CLIENT", "CLASSES", "ENTRY"});
  for (const json& one : clients) {
    table.Add({Text(one, "client"),
               one.contains("classes") ? InOneLine(one, "classes") : "not known",
               Text(one, "entry")});
  }
  table.Print(console);
  return Exit::kOk;
}

std::string ToldOf(const json& telling) {
  const json& told = Member(telling, "told");
  if (!told.is_object()) return "TO BE TOLD";
  const std::string why = Text(told, "not_told");
  return (why.empty() ? "told by " + Text(told, "channel") : "not told: " + why) + ", " +
         Text(told, "at");
}

std::string ActOf(const json& telling) {
  const std::string class_name = Text(telling, "class");
  return Text(telling, "act") + (class_name.empty() ? "" : " " + class_name);
}

Outcome<Exit> ShowRecipientsOf(const DisclosureOptions& options, ApiClient& client,
                               Console& console) {
  COFFER_ASSIGN(
      const json found,
      client.Get(Target("/v1/clients").Segment(options.client).Segment("recipients-to-tell")));
  if (options.connection.json) {
    PrintJson(console, found);
    return Exit::kOk;
  }
  Table table({"RECIPIENT", "NAME", "DISCLOSURES", "READS", "ACT", "ENTRY", "STANDING"});
  for (const json& one : Member(found, "items")) {
    const json& acts = Member(one, "acts");
    const std::string name = Text(one, "name");
    const std::string reads =
        Text(one, "reads") + (Text(one, "more_reads") == "true" ? " and more" : "");
    if (acts.empty()) {
      table.Add({Text(one, "recipient"), name, Text(one, "disclosures"), reads, "", "",
                 "nothing to tell"});
    }
    for (const json& act : acts) {
      table.Add({Text(one, "recipient"), name, Text(one, "disclosures"), reads, ActOf(act),
                 Text(act, "entry"), ToldOf(act)});
    }
  }
  if (Member(found, "items").empty()) {
    console.out << "Nobody is known to have anything of this client.\n";
  } else {
    table.Print(console);
  }
  if (Text(found, "reads_known") == "false") {
    console.out << "READS NOT KNOWN: the log's index is being made; ask again.\n";
  }
  if (Text(found, "to_settle") != "0") {
    console.out << "NOT ALL LOOKED AT: " << Printable(Text(found, "to_settle"))
                << " acts wait for the log's index; ask again.\n";
  }
  if (Text(found, "more") == "true") console.out << "There is more than is shown here.\n";
  return Exit::kOk;
}

Outcome<Exit> ListToTell(const DisclosureOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  if (!options.client.empty()) return ShowRecipientsOf(options, client, console);
  Target target("/v1/disclosures/to-tell");
  target.With("recipient", options.recipient);
  Target last = target;
  last.With("limit", "1");
  COFFER_ASSIGN(const json tellings, CollectPages(client, target));
  // Each page looks at acts that wait: what is left is known after the last.
  COFFER_ASSIGN(const json counts, client.Get(last));
  if (options.connection.json) {
    PrintJson(console, {{"open", Member(counts, "open")},
                        {"recipients", Member(counts, "recipients")},
                        {"to_settle", Member(counts, "to_settle")},
                        {"items", tellings}});
    return Exit::kOk;
  }
  if (tellings.empty()) {
    console.out << "No recipient is to be told of anything.\n";
  } else {
    Table table({"RECIPIENT", "CLIENT", "ACT", "AT", "ENTRY"});
    for (const json& one : tellings) {
      table.Add({Text(one, "recipient"), Text(one, "client"), ActOf(one), Text(one, "at"),
                 Text(one, "entry")});
    }
    table.Print(console);
    std::uint64_t until = 0;
    for (const json& one : tellings) until = std::max(until, one.value("entry", std::uint64_t{0}));
    console.out << "Once a recipient is told of these: coffer disclosure told RECIPIENT --until "
                << until << '\n';
  }
  if (Text(counts, "to_settle") != "0") {
    console.out << "NOT ALL LOOKED AT: " << Printable(Text(counts, "to_settle"))
                << " acts wait for the log's index; ask again.\n";
  }
  return Exit::kOk;
}

Outcome<Exit> RecordTold(const DisclosureOptions& options, Console& console) {
  json body = json::object();
  COFFER_ASSIGN(const std::string at, NormalisedTime(options.at, "--at"));
  PutWhereSaid(body, "at", at);
  PutWhereSaid(body, "client", options.client);
  PutWhereSaid(body, "channel", options.channel);
  PutWhereSaid(body, "reference", options.reference);
  PutWhereSaid(body, "not_told", options.not_told);
  if (options.until) body["until"] = *options.until;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json result,
                client.Post(RecipientTarget(options.recipient).Segment("told"), body.dump()));
  if (options.connection.json) {
    PrintJson(console, result);
    return Exit::kOk;
  }
  console.out << "Recorded for " << Printable(Text(result, "told")) << " acts; "
              << Printable(Text(result, "left")) << " are left.\n";
  return Exit::kOk;
}

void AddRecipientId(CLI::App& command, std::string& id) {
  command.add_option("recipient", id, "Recipient id (rcp_...)")->type_name("RECIPIENT")->required();
}

void AddRecipientFacts(CLI::App& command, RecipientOptions& options, bool all) {
  command.add_option("--name", options.name, "What it is called")->type_name("NAME")->required(all);
  command.add_option("--category", options.category, "processor, controller, authority or person")
      ->type_name("CATEGORY")
      ->required(all);
  command.add_option("--contact", options.contact, "How it is told")->type_name("TEXT");
  command.add_option("--country", options.country, "Where it is: two letters (ISO 3166-1)")
      ->type_name("COUNTRY");
  command
      .add_option(
          "--safeguard", options.safeguard,
          "What a transfer rests on: adequacy, standard_clauses, binding_rules, consent, ...")
      ->type_name("SAFEGUARD");
  command.add_option("--contract", options.contract, "A reference to what was agreed")
      ->type_name("TEXT");
  command.add_option("--since", options.since, "The first day of it")->type_name("DAY");
  command.add_option("--until", options.until, "The last day of it")->type_name("DAY");
}

void AddBinding(CLI::App& group, Command& chosen, const char* name, const char* help,
                Outcome<Exit> (*run)(const RecipientOptions&, Console&)) {
  auto options = std::make_shared<RecipientOptions>();
  CLI::App* command = group.add_subcommand(name, help);
  AddRecipientId(*command, options->id);
  command->add_option("account", options->principal, "A login, a service's name, or an id")
      ->type_name("WHO")
      ->required();
  command->footer(std::string("Example:\n  coffer recipient ") + name + " rcp_... mailing");
  RunOnline(*command, chosen, options, run);
}

void AddDisclosureLists(CLI::App& group, Command& chosen) {
  {
    auto options = std::make_shared<DisclosureOptions>();
    CLI::App* command = group.add_subcommand("list", "Show the disclosures, the newest first");
    command->add_option("--recipient", options->recipient, "To this recipient (rcp_...)")
        ->type_name("RECIPIENT");
    command->add_option("--client", options->client, "Of this client (cli_...)")
        ->type_name("CLIENT");
    command->footer("Example:\n  coffer disclosure list --client cli_...");
    RunOnline(*command, chosen, options, ListDisclosures);
  }
  {
    auto options = std::make_shared<DisclosureOptions>();
    CLI::App* command = group.add_subcommand("show", "Show one disclosure with its clients");
    command->add_option("disclosure", options->id, "Disclosure id (dsc_...)")
        ->type_name("DISCLOSURE")
        ->required();
    command->footer("Example:\n  coffer disclosure show dsc_...");
    RunOnline(*command, chosen, options, ShowOneDisclosure);
  }
  auto options = std::make_shared<DisclosureOptions>();
  CLI::App* command = group.add_subcommand(
      "to-tell", "Show what recipients are still to be told of, or who has a client's data");
  CLI::Option* const of =
      command->add_option("--recipient", options->recipient, "This recipient (rcp_...)")
          ->type_name("RECIPIENT");
  command
      ->add_option("--client", options->client,
                   "All recipients of this client (cli_...), also of one that was erased")
      ->type_name("CLIENT")
      ->excludes(of);
  command->footer(
      "Erasures, rectifications, restrictions and withdrawn consents (GDPR 19).\n\n"
      "Examples:\n  coffer disclosure to-tell\n  coffer disclosure to-tell --client cli_...");
  RunOnline(*command, chosen, options, ListToTell);
}

void AddTold(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<DisclosureOptions>();
  CLI::App* command =
      group.add_subcommand("told", "Record that a recipient was told, or why it was not");
  AddRecipientId(*command, options->recipient);
  CLI::Option_group* const what = command->add_option_group("What it was told of");
  what->add_option("--client", options->client, "Acts of this client")->type_name("CLIENT");
  what->add_option("--until", options->until, "Acts by this entry of the log, as to-tell shows it")
      ->type_name("ENTRY");
  what->require_option(1, 2);
  command->add_option("--at", options->at, "When, of acts by then; otherwise now")
      ->type_name("TIME");
  CLI::Option* const by =
      command
          ->add_option("--channel", options->channel,
                       "api, courier, email, in_person, letter, media, phone, portal or other")
          ->type_name("CHANNEL");
  command->add_option("--reference", options->reference, "Under which reference")
      ->type_name("TEXT");
  command
      ->add_option("--not-told", options->not_told,
                   "Nobody was told: impossible or disproportionate; --reference says where why")
      ->type_name("WHY")
      ->excludes(by);
  command->footer(
      "Examples:\n  coffer disclosure told rcp_... --client cli_... --channel email \\\n"
      "    --reference \"mail of 3 July\"\n"
      "  coffer disclosure told rcp_... --until 4711 --not-told impossible --reference \"file 7\"");
  RunOnline(*command, chosen, options, RecordTold);
}

}  // namespace

void AddRecipientCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("recipient", "Keep the register of whom data goes to");
  group->require_subcommand(1);
  {
    auto options = std::make_shared<RecipientOptions>();
    CLI::App* command = group->add_subcommand("create", "Register a recipient");
    AddRecipientFacts(*command, *options, true);
    command->footer(
        "Example:\n  coffer recipient create --name \"Example Mailing Ltd\" --category processor "
        "\\\n"
        "    --contact privacy@mailing.example --country US --safeguard standard_clauses");
    RunOnline(*command, chosen, options, CreateRecipient);
  }
  {
    auto options = std::make_shared<RecipientOptions>();
    CLI::App* command = group->add_subcommand("list", "Show the recipients");
    command->add_option("--state", options->state, "Only those that are current, or ended")
        ->type_name("STATE");
    command->footer("Example:\n  coffer recipient list --state current");
    RunOnline(*command, chosen, options, ListRecipients);
  }
  {
    auto options = std::make_shared<RecipientOptions>();
    CLI::App* command = group->add_subcommand("show", "Show one recipient with its history");
    AddRecipientId(*command, options->id);
    command->footer("Example:\n  coffer recipient show rcp_...");
    RunOnline(*command, chosen, options, ShowOneRecipient);
  }
  {
    auto options = std::make_shared<RecipientOptions>();
    CLI::App* command = group->add_subcommand(
        "change", "Change what is said of a recipient; what is not named stays");
    AddRecipientId(*command, options->id);
    AddRecipientFacts(*command, *options, false);
    command->footer("Example:\n  coffer recipient change rcp_... --contact dpo@mailing.example");
    RunOnline(*command, chosen, options, ChangeRecipient);
  }
  AddBinding(*group, chosen, "bind",
             "Say that an account is the recipient's: what it is shown is disclosed to it",
             BindAccount);
  AddBinding(*group, chosen, "unbind", "Take an account from a recipient", UnbindAccount);
  auto options = std::make_shared<RecipientOptions>();
  CLI::App* command =
      group->add_subcommand("end", "End a recipient: it is given nothing more, and is still told");
  AddRecipientId(*command, options->id);
  command->footer("Example:\n  coffer recipient end rcp_...");
  RunOnline(*command, chosen, options, EndRecipient);
}

void AddDisclosureCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand(
      "disclosure", "Keep the register of what was given to whom, and tell recipients");
  group->require_subcommand(1);
  auto options = std::make_shared<DisclosureOptions>();
  CLI::App* command =
      group->add_subcommand("record", "Record what was given outside the vault, with --reason");
  AddRecipientId(*command, options->recipient);
  command->add_option("clients", options->clients, "Client ids (cli_...)")
      ->type_name("CLIENT")
      ->required();
  command->add_option("--basis", options->basis, "The legal basis")->type_name("TEXT")->required();
  command
      ->add_option("--channel", options->channel,
                   "api, courier, email, in_person, letter, media, phone, portal or other")
      ->type_name("CHANNEL")
      ->required();
  command->add_option("--given", options->given, "When; otherwise now")->type_name("TIME");
  command->add_option("--for", options->purpose, "What for")->type_name("TEXT");
  command->add_option("--reference", options->reference, "A reference to what shows it")
      ->type_name("TEXT");
  command->add_option("--class", options->classes, "A class that was given; repeatable")
      ->type_name("CLASS");
  command->footer(
      "Without --class it counts as everything. Example:\n"
      "  coffer disclosure record rcp_... cli_... --basis \"GDPR 6(1)(c)\" --channel letter \\\n"
      "    --class contact --reason \"asked by the court\"");
  RunOnline(*command, chosen, options, RecordDisclosure);
  AddDisclosureLists(*group, chosen);
  AddTold(*group, chosen);
}

}  // namespace coffer::cli
