// coffer breach: whom a breach concerns, told from the log; and the register of breaches.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/client_lookup.h"
#include "api/cli/client/log_query.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "audit/text/csv_cell.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// The whole log is walked for it.
constexpr std::chrono::seconds kScopePatience{600};
constexpr std::size_t kClientsPerPage = 10'000;
constexpr std::size_t kClientsShown = 50;

struct CriteriaOptions {
  std::string token, principal, address, from, to;
};
struct ScopeOptions {
  ConnectionOptions connection;
  CriteriaOptions criteria;
  std::string breach;
  bool csv = false, records = false;
};
struct FactsOptions {
  ConnectionOptions connection;
  std::string id, aware, occurred_from, occurred_to, facts, effects, measures;
  std::vector<std::string> kinds, taken, regimes;
};
struct NoticeOptions {
  ConnectionOptions connection;
  std::string id, whom, regime, stage, name, at, reference, delay;
};
struct BreachOptions {
  ConnectionOptions connection;
  std::string id, state, conclusion, not_notified;
};

Target BreachTarget(const std::string& id) { return Target("/v1/breaches").Segment(id); }

void PutIfSaid(json& body, const char* member, const std::string& text) {
  if (!text.empty()) body[member] = text;
}

Outcome<json> CriteriaBody(const CriteriaOptions& options) {
  json body = json::object();
  PutIfSaid(body, "token", options.token);
  PutIfSaid(body, "principal", options.principal);
  PutIfSaid(body, "address", options.address);
  COFFER_ASSIGN(const std::string from, NormalisedTime(options.from, "--from"));
  COFFER_ASSIGN(const std::string to, NormalisedTime(options.to, "--to"));
  PutIfSaid(body, "from", from);
  PutIfSaid(body, "to", to);
  if (!body.empty()) return body;
  return Failed(Exit::kUsage, "nothing says what to look for",
                "Give --token, --principal, --address, --from or --to.");
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) (joined += joined.empty() ? "" : " ") += text;
  return joined;
}

// A line for each class of each client: what is sent to who tells them.
void PrintCsv(const json& scope, Console& console) {
  console.out << "\"client\",\"erased\",\"jurisdictions\",\"class\",\"ways\",\"fields\","
                 "\"entries\",\"records\",\"possible\",\"first\",\"last\",\"purposes\"\n";
  for (const json& client : Member(scope, "items")) {
    for (const json& one : Member(client, "classes")) {
      const std::string class_name = Text(one, "class");
      const std::string cells[] = {Text(client, "client"),
                                   Text(client, "erased"),
                                   Joined(TextList(client, "jurisdictions")),
                                   class_name.empty() ? "(client)" : class_name,
                                   Joined(TextList(one, "ways")),
                                   Joined(TextList(one, "fields")),
                                   Text(one, "entries"),
                                   Text(one, "records"),
                                   Text(client, "possible"),
                                   Text(client, "first"),
                                   Text(client, "last"),
                                   Joined(TextList(client, "purposes"))};
      std::string line;
      for (const std::string& cell : cells) audit::AppendCsvCell(cell, line);
      console.out << line << '\n';
    }
  }
}

// What can be said of counts, and what cannot.
void PrintCounts(const json& scope, Console& console) {
  std::string jurisdictions;
  for (const json& one : Member(scope, "jurisdictions")) {
    jurisdictions += (jurisdictions.empty() ? "" : ", ") + Text(one, "jurisdiction") + " " +
                     Text(one, "clients");
  }
  PrintFields(console,
              {{"searched", Text(scope, "searched") + " entries, of " + Text(scope, "size")},
               {"of whom was asked for", Text(scope, "matched")},
               {"refused", Text(scope, "denied")},
               {"about clients", Text(scope, "entries")},
               {"first", Text(scope, "first")},
               {"last", Text(scope, "last")},
               {"clients", Text(scope, "clients")},
               {"disclosed", Text(scope, "disclosed")},
               {"changed", Text(scope, "changed")},
               {"erased since", Text(scope, "erased")},
               {"jurisdictions", jurisdictions},
               {"without one", Text(scope, "without_jurisdiction")}});
}

void PrintLimits(const json& scope, Console& console) {
  std::ostream& out = console.out;
  if (Text(scope, "searched") == "0") {
    out << "NOTHING WAS SEARCHED: the log has no entry of that time.\n";
  } else if (Text(scope, "matched") == "0") {
    out << "Nothing was found: no entry of that time is of whom was asked for.\n";
  } else if (Text(scope, "clients") == "0") {
    out << "No client was met: what was done is about none.\n";
  }
  for (const json& action : Member(scope, "actions")) {
    if (Text(action, "exact") != "false") continue;
    out << "NOT KNOWN EXACTLY: " << Printable(Text(action, "without_client")) << " answers of "
        << Printable(Text(action, "action"))
        << " may have named clients that their entries do not.\n";
  }
  if (Text(scope, "possible") != "0") {
    out << "POSSIBLY OF ANOTHER TOKEN: " << Text(scope, "possible")
        << " entries are from before entries said which token was shown.\n";
  }
  if (Text(scope, "without_address") != "0") {
    out << "WITHOUT AN ADDRESS: " << Text(scope, "without_address")
        << " entries, which are not counted and may be from there.\n";
  }
  if (Text(scope, "unreadable") != "0") {
    out << "DAMAGED: " << Text(scope, "unreadable")
        << " entries cannot be read; coffer verify names them.\n";
  }
}

void PrintScope(const json& scope, Console& console) {
  PrintCounts(scope, console);
  PrintLimits(scope, console);
  const json& items = Member(scope, "items");
  if (!items.is_array() || items.empty()) return;
  console.out << "What was answered is plain text: who has it can read it.\n\n";
  Table table({"CLIENT", "WAYS", "ENTRIES", "CLASSES", "FIRST", "LAST", "WHERE"});
  std::size_t shown = 0;
  for (const json& client : items) {
    if (++shown > kClientsShown) break;
    std::vector<std::string> classes;
    for (const json& one : Member(client, "classes")) {
      const std::string name = Text(one, "class");
      classes.push_back(name.empty() ? "(client)" : name);
    }
    table.Add(
        {Text(client, "client"), Joined(TextList(client, "ways")), Text(client, "entries"),
         Joined(classes), Text(client, "first"), Text(client, "last"),
         Text(client, "erased") == "true" ? "erased" : Joined(TextList(client, "jurisdictions"))});
  }
  table.Print(console);
  if (items.size() > kClientsShown) {
    console.out << items.size() - kClientsShown << " more: --csv or --json has all.\n";
  }
}

// All pages, as one.
Outcome<json> FetchScope(ApiClient& client, json body) {
  body["limit"] = kClientsPerPage;
  json whole;
  for (;;) {
    COFFER_ASSIGN(json page, client.Post(Target("/v1/breach-scopes"), body.dump(), kScopePatience));
    const std::string next = Text(page, "next_cursor");
    if (whole.is_null()) {
      whole = std::move(page);
    } else {
      for (const json& item : Member(page, "items")) whole["items"].push_back(item);
    }
    if (next.empty() || !whole.is_object()) break;
    body["cursor"] = next;
  }
  if (whole.is_object()) whole.erase("next_cursor");
  return whole;
}

Outcome<Exit> ShowBreach(const ConnectionOptions& connection, const json& breach,
                         Console& console) {
  if (connection.json) {
    PrintJson(console, breach);
    return Exit::kOk;
  }
  PrintFields(console, {{"id", Text(breach, "id")},
                        {"state", Text(breach, "state")},
                        {"opened", Text(breach, "opened")},
                        {"opened by", Text(breach, "opened_by")},
                        {"aware", Text(breach, "aware")},
                        {"occurred from", Text(breach, "occurred_from")},
                        {"occurred to", Text(breach, "occurred_to")},
                        {"kinds", Joined(TextList(breach, "kinds"))},
                        {"taken", Joined(TextList(breach, "taken"))},
                        {"readable", Text(breach, "readable")},
                        {"facts", Text(breach, "facts")},
                        {"effects", Text(breach, "effects")},
                        {"measures", Text(breach, "measures")},
                        {"closed", Text(breach, "closed")},
                        {"closed by", Text(breach, "closed_by")}});
  console.out << '\n';
  Table clocks({"REGIME", "STAGE", "ARTICLE", "DUE", "STATE", "DONE"});
  for (const json& clock : Member(breach, "clocks")) {
    const std::string due = Text(clock, "due");
    clocks.Add({Text(clock, "regime"), Text(clock, "stage"), Text(clock, "article"),
                due.empty() ? "at once" : due, Text(clock, "state"), Text(clock, "done")});
  }
  clocks.Print(console);
  console.out << '\n';
  Table history({"NO", "STEP", "AT", "BY", "LOG ENTRY", "SAID"});
  for (const json& event : Member(breach, "history")) {
    history.Add({Text(event, "number"), Text(event, "step"), Text(event, "at"), Text(event, "by"),
                 Text(event, "seq"), Text(event, "said")});
  }
  history.Print(console);
  return Exit::kOk;
}

Outcome<Exit> FindScope(const ScopeOptions& options, Console& console) {
  COFFER_ASSIGN(json body, CriteriaBody(options.criteria));
  if (!options.breach.empty() && (options.csv || options.records)) {
    return Failed(Exit::kUsage, "the register keeps counts, and no list of clients",
                  "Give --breach without --csv and --records, and ask for the list apart.");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  if (!options.breach.empty()) {
    COFFER_ASSIGN(const json breach, client.Post(BreachTarget(options.breach).Segment("scopes"),
                                                 body.dump(), kScopePatience));
    return ShowBreach(options.connection, breach, console);
  }
  if (options.records) body["record_ids"] = true;
  COFFER_ASSIGN(const json scope, FetchScope(client, std::move(body)));
  if (options.connection.json) {
    PrintJson(console, scope);
  } else if (options.csv) {
    PrintCsv(scope, console);
    Console told{console.err, console.err};
    PrintLimits(scope, told);
  } else {
    PrintScope(scope, console);
  }
  return Exit::kOk;
}

Outcome<json> FactsBody(const FactsOptions& options) {
  json body = json::object();
  COFFER_ASSIGN(const std::string aware, NormalisedTime(options.aware, "--aware"));
  COFFER_ASSIGN(const std::string from, NormalisedTime(options.occurred_from, "--occurred-from"));
  COFFER_ASSIGN(const std::string to, NormalisedTime(options.occurred_to, "--occurred-to"));
  PutIfSaid(body, "aware", aware);
  PutIfSaid(body, "occurred_from", from);
  PutIfSaid(body, "occurred_to", to);
  if (!options.kinds.empty()) body["kinds"] = options.kinds;
  if (!options.taken.empty()) body["taken"] = options.taken;
  if (!options.regimes.empty()) body["regimes"] = options.regimes;
  PutIfSaid(body, "facts", options.facts);
  PutIfSaid(body, "effects", options.effects);
  PutIfSaid(body, "measures", options.measures);
  return body;
}

Outcome<Exit> OpenBreach(const FactsOptions& options, Console& console) {
  COFFER_ASSIGN(const json body, FactsBody(options));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json breach, client.Post(Target("/v1/breaches"), body.dump()));
  return ShowBreach(options.connection, breach, console);
}

Outcome<Exit> NoteBreach(const FactsOptions& options, Console& console) {
  COFFER_ASSIGN(const json body, FactsBody(options));
  if (body.empty()) {
    return Failed(Exit::kUsage, "nothing is said of the breach",
                  "Give what is known now: --facts, --effects, --measures, --aware, ...");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json breach,
                client.Post(BreachTarget(options.id).Segment("notes"), body.dump()));
  return ShowBreach(options.connection, breach, console);
}

Outcome<Exit> Notify(const NoticeOptions& options, Console& console) {
  json body = {{"whom", options.whom}, {"name", options.name}};
  COFFER_ASSIGN(body["at"], NormalisedTime(options.at, "--at"));
  PutIfSaid(body, "regime", options.regime);
  PutIfSaid(body, "stage", options.stage);
  PutIfSaid(body, "reference", options.reference);
  PutIfSaid(body, "delay", options.delay);
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json breach,
                client.Post(BreachTarget(options.id).Segment("notices"), body.dump()));
  return ShowBreach(options.connection, breach, console);
}

Outcome<Exit> CloseBreach(const BreachOptions& options, Console& console) {
  json body = {{"conclusion", options.conclusion}};
  PutIfSaid(body, "not_notified", options.not_notified);
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json breach,
                client.Post(BreachTarget(options.id).Segment("close"), body.dump()));
  return ShowBreach(options.connection, breach, console);
}

Outcome<Exit> ShowOneBreach(const BreachOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json breach, client.Get(BreachTarget(options.id)));
  return ShowBreach(options.connection, breach, console);
}

Outcome<Exit> ListBreaches(const BreachOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/breaches");
  target.With("state", options.state);
  COFFER_ASSIGN(const json breaches, CollectPages(client, target));
  if (options.connection.json) {
    PrintJson(console, {{"items", breaches}});
    return Exit::kOk;
  }
  Table table({"BREACH", "STATE", "AWARE", "KINDS", "CLOCKS"});
  for (const json& breach : breaches) {
    std::string clocks;
    for (const json& clock : Member(breach, "clocks")) {
      const std::string stage = Text(clock, "stage");
      clocks += (clocks.empty() ? "" : ", ") + Text(clock, "regime") +
                (stage.empty() ? "" : " " + stage) + " " + Text(clock, "state");
      const std::string due = Text(clock, "due");
      if (!due.empty() && Text(clock, "done").empty()) clocks += " " + due;
    }
    table.Add({Text(breach, "id"), Text(breach, "state"), Text(breach, "aware"),
               Joined(TextList(breach, "kinds")), clocks});
  }
  table.Print(console);
  return Exit::kOk;
}

void AddId(CLI::App& command, std::string& id) {
  command.add_option("breach", id, "Breach id (brc_...)")->type_name("BREACH")->required();
}

void AddText(CLI::App& command, const char* name, std::string& text, const char* help) {
  command.add_option(name, text, help)->type_name("TEXT");
}

void AddFacts(CLI::App& command, FactsOptions& options, bool opening) {
  const auto time = [&](const char* name, std::string& text, const char* help) {
    return command.add_option(name, text, help)->type_name("TIME");
  };
  time("--aware", options.aware, "When somebody was aware of it: the clocks run from then")
      ->required(opening);
  time("--occurred-from", options.occurred_from, "From when on it happened, if known");
  time("--occurred-to", options.occurred_to, "Until when it happened, if known");
  command
      .add_option("--kind", options.kinds,
                  "What was broken: confidentiality, integrity or availability; several times")
      ->type_name("KIND")
      ->required(opening);
  command
      .add_option("--taken", options.taken,
                  "What left the vault: answers (of the API, plain text), disk, backup or keys;\n"
                  "several times")
      ->type_name("WHAT");
  command
      .add_option("--regime", options.regimes,
                  "Whose clocks run: gdpr, ru-152fz or pipl; several times")
      ->type_name("REGIME")
      ->required(opening);
  command.add_option("--facts", options.facts, "What happened, in words; no client's values")
      ->type_name("TEXT")
      ->required(opening);
  AddText(command, "--effects", options.effects, "What it does to the people");
  AddText(command, "--measures", options.measures, "What was done about it");
}

void AddScope(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<ScopeOptions>();
  CLI::App* command =
      group.add_subcommand("scope", "Tell from the log which clients a breach concerns");
  CriteriaOptions& criteria = options->criteria;
  command
      ->add_option("--token", criteria.token,
                   "Id of a token or a session (tok_..., ses_...), also of one that is over")
      ->type_name("ID");
  command->add_option("--principal", criteria.principal, "Login, service's name or id")
      ->type_name("WHO");
  command->add_option("--address", criteria.address, "IP address or network")->type_name("ADDRESS");
  command->add_option("--from,--since", criteria.from, "From this time on")->type_name("TIME");
  command->add_option("--to,--until", criteria.to, "Before this time")->type_name("TIME");
  command
      ->add_option("--breach", options->breach,
                   "Count it into the register, for this breach, instead of listing clients")
      ->type_name("BREACH");
  command->add_flag("--csv", options->csv, "A table of all clients, a line for each class");
  command->add_flag("--records", options->records, "With the ids of the records, in --json");
  command->footer(
      "All that is given must be so. Example:\n"
      "  coffer breach scope --token tok_... --from 2026-07-01 --to 2026-07-02 --csv");
  RunOnline(*command, chosen, options, FindScope);
}

void AddOpenAndNote(CLI::App& group, Command& chosen) {
  auto opening = std::make_shared<FactsOptions>();
  CLI::App* open = group.add_subcommand("open", "Open a breach in the register");
  AddFacts(*open, *opening, true);
  open->footer(
      "Example:\n  coffer breach open --aware 2026-07-02T09:00:00Z --kind confidentiality \\\n"
      "    --regime gdpr --taken answers --facts \"The CRM's token stood in a repository\"");
  RunOnline(*open, chosen, opening, OpenBreach);

  auto noting = std::make_shared<FactsOptions>();
  CLI::App* note = group.add_subcommand(
      "note", "Say what is known of a breach now; what was said before stays in its history");
  AddId(*note, noting->id);
  AddFacts(*note, *noting, false);
  note->footer("Example:\n  coffer breach note brc_... --measures \"The token was revoked\"");
  RunOnline(*note, chosen, noting, NoteBreach);
}

void AddNotify(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<NoticeOptions>();
  CLI::App* command = group.add_subcommand("notify", "Record that somebody was told of a breach");
  AddId(*command, options->id);
  command->add_option("--whom", options->whom, "authority, subjects or other")
      ->type_name("WHOM")
      ->required();
  command->add_option("--regime", options->regime, "Of an authority: gdpr, ru-152fz or pipl")
      ->type_name("REGIME");
  command
      ->add_option("--stage", options->stage,
                   "Of ru-152fz: notice (24 hours) or findings (72 hours)")
      ->type_name("STAGE");
  command->add_option("--name", options->name, "Who was told")->type_name("NAME")->required();
  command->add_option("--at", options->at, "When")->type_name("TIME")->required();
  AddText(*command, "--reference", options->reference, "Under which reference");
  AddText(*command, "--delay", options->delay, "Why it was later than the clock, where it was");
  command->footer(
      "Example:\n  coffer breach notify brc_... --whom authority --regime gdpr \\\n"
      "    --name \"Data protection authority\" --at 2026-07-03T10:00:00Z --reference 118/26");
  RunOnline(*command, chosen, options, Notify);
}

}  // namespace

void AddBreachCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand(
      "breach", "Tell whom a breach concerns, and keep the register of breaches");
  group->require_subcommand(1);
  AddScope(*group, chosen);
  AddOpenAndNote(*group, chosen);
  AddNotify(*group, chosen);
  {
    auto options = std::make_shared<BreachOptions>();
    CLI::App* command = group->add_subcommand("list", "Show the breaches, and which clocks run");
    command->add_option("--state", options->state, "Only those that are open, or closed")
        ->type_name("STATE");
    command->footer("Example:\n  coffer breach list --state open");
    RunOnline(*command, chosen, options, ListBreaches);
  }
  {
    auto options = std::make_shared<BreachOptions>();
    CLI::App* command = group->add_subcommand("show", "Show one breach, with all that was said");
    AddId(*command, options->id);
    command->footer("Example:\n  coffer breach show brc_...");
    RunOnline(*command, chosen, options, ShowOneBreach);
  }
  {
    auto options = std::make_shared<BreachOptions>();
    CLI::App* command =
        group->add_subcommand("close", "Close a breach; nothing is added to it then");
    AddId(*command, options->id);
    command->add_option("--conclusion", options->conclusion, "How it ended")
        ->type_name("TEXT")
        ->required();
    AddText(*command, "--not-notified", options->not_notified,
            "Why an authority whose clock runs was not told, where one was not");
    command->footer("Example:\n  coffer breach close brc_... --conclusion \"No misuse is known\"");
    RunOnline(*command, chosen, options, CloseBreach);
  }
}

}  // namespace coffer::cli
