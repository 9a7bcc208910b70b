// coffer request: what persons ask for, until when it is to be answered, and what shows that it
// was.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/client_lookup.h"
#include "api/cli/client/log_query.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct RequestOptions {
  ConnectionOptions connection;
  std::string id, kind, regime, channel, received, client, authority, words, state, due;
  std::string step, letter, article, erasure;
  std::vector<std::string> attachments;
  std::vector<std::uint64_t> entries;
  std::optional<std::uint64_t> days;
  bool together = false;
};

std::string DueOf(const json& request) {
  const std::string standing = Text(request, "standing");
  const std::string day = Text(request, "last_day");
  if (standing == "paused") return "nothing is counted until it is known who asks";
  if (standing == "overdue") return "OVERDUE, last day " + day;
  if (standing == "due_today") return "due TODAY";
  if (standing == "in_time") return "decided in time";
  if (standing == "late") return "decided LATE, last day was " + day;
  return "last day " + day;
}

std::string Listed(const json& object, std::string_view member) {
  std::string joined;
  for (const auto& text : TextList(object, member)) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

void PrintSteps(const json& request, Console& console) {
  Table table({"STEP", "AT", "BY", "ENTRY", "DUE", "SAID"});
  for (const json& step : Member(request, "steps")) {
    std::string said = Text(step, "article");
    for (const char* member : {"letter", "words"}) {
      const std::string text = Text(step, member);
      if (!text.empty()) said += (said.empty() ? "" : "; ") + text;
    }
    for (const json& proof : Member(step, "shown_by")) {
      said += (said.empty() ? "" : "; ") + ("entry " + Text(proof, "entry") + ", ") +
              Text(proof, "action");
    }
    const std::string by = Text(step, "by");
    table.Add({Text(step, "step"), Text(step, "at"), by.empty() ? "the vault" : by,
               Text(step, "entry"), Text(step, "due"), said});
  }
  table.Print(console);
}

Outcome<Exit> ShowRequest(const RequestOptions& options, const json& request, Console& console) {
  if (options.connection.json) {
    PrintJson(console, request);
    return Exit::kOk;
  }
  const std::string client = Text(request, "client"), said = Text(request, "said");
  PrintFields(console,
              {{"id", Text(request, "id")},
               {"client", client.empty() ? "not known yet" : client},
               {"asks for", Text(request, "kind") + " under " + Text(request, "regime")},
               {"asked by", Text(request, "asked_by") + ", by " + Text(request, "channel")},
               {"received", Text(request, "received")},
               {"state", Text(request, "state")},
               {"time", DueOf(request)},
               {"possible steps", Listed(request, "possible_steps")},
               {"duplicates", Listed(request, "duplicates")},
               {"kept from erasure by", Listed(request, "holds")},
               {"what it says", said == "hidden" ? "hidden from this role"
                                : said == "gone" ? "gone with the client, who was erased"
                                                 : ""}});
  PrintSteps(request, console);
  return Exit::kOk;
}

Outcome<Exit> RegisterRequest(const RequestOptions& options, Console& console) {
  json body = {{"kind", options.kind}, {"regime", options.regime}, {"channel", options.channel}};
  // A day is one of the regime's time zone.
  constexpr std::size_t kDayLength = 10;
  if (options.received.size() == kDayLength) {
    body["received"] = options.received;
  } else {
    COFFER_ASSIGN(body["received"], NormalisedTime(options.received, "--received"));
  }
  if (!options.client.empty()) body["client"] = options.client;
  if (!options.authority.empty()) body["authority"] = options.authority;
  if (!options.words.empty()) body["words"] = options.words;
  if (!options.attachments.empty()) body["attachments"] = options.attachments;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json request, client.Post(Target("/v1/requests"), body.dump()));
  return ShowRequest(options, request, console);
}

Outcome<Exit> ListRequests(const RequestOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/requests");
  target.With("due", options.due)
      .With("days", options.days ? std::to_string(*options.days) : "")
      .With("client", options.client)
      .With("kind", options.kind)
      .With("state", options.state);
  COFFER_ASSIGN(const json requests, CollectPages(client, target));
  if (options.connection.json) {
    PrintJson(console, {{"items", requests}});
    return Exit::kOk;
  }
  if (requests.empty()) {
    console.out << "No request is like that.\n";
    return Exit::kOk;
  }
  Table table({"REQUEST", "CLIENT", "ASKS FOR", "REGIME", "STATE", "TIME"});
  for (const json& request : requests) {
    const std::string of = Text(request, "client");
    table.Add({Text(request, "id"), of.empty() ? "not known yet" : of, Text(request, "kind"),
               Text(request, "regime"), Text(request, "state"), DueOf(request)});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowOneRequest(const RequestOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json request, client.Get(Target("/v1/requests").Segment(options.id)));
  return ShowRequest(options, request, console);
}

Outcome<Exit> TakeStep(const RequestOptions& options, Console& console) {
  json body = {{"step", options.step}};
  for (const auto& [member, text] :
       {std::pair{"client", &options.client}, std::pair{"words", &options.words},
        std::pair{"letter", &options.letter}, std::pair{"article", &options.article},
        std::pair{"erasure", &options.erasure}}) {
    if (!text->empty()) body[member] = *text;
  }
  if (!options.entries.empty()) body["entries"] = options.entries;
  if (options.together) body["together"] = true;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(
      const json request,
      client.Post(Target("/v1/requests").Segment(options.id).Segment("steps"), body.dump()));
  return ShowRequest(options, request, console);
}

void AddRegister(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<RequestOptions>();
  CLI::App* command = group.add_subcommand("register", "Register what a person asks for");
  command->add_option("client", options->client, "Client id (cli_...), once it is known")
      ->type_name("CLIENT");
  command
      ->add_option("--kind", options->kind,
                   "access, portability, rectification, erasure, restriction, objection, "
                   "consent_withdrawal, stop_processing, complaint or question")
      ->type_name("KIND")
      ->required();
  command->add_option("--regime", options->regime, "Under which law: coffer regime list")
      ->type_name("NAME")
      ->required();
  command
      ->add_option("--channel", options->channel,
                   "email, in_person, letter, phone, portal or other")
      ->type_name("CHANNEL")
      ->required();
  command
      ->add_option("--received", options->received,
                   "When it came: a day in the regime's time zone, or a time")
      ->type_name("TIME")
      ->required();
  command
      ->add_option("--authority", options->authority,
                   "Of a representative: how the authority was shown")
      ->type_name("TEXT");
  command->add_option("--words", options->words, "What it says; sealed, and not in the log")
      ->type_name("TEXT");
  command->add_option("--attachment", options->attachments, "Where one is; repeatable")
      ->type_name("REFERENCE");
  command->footer(
      "Example:\n  coffer request register cli_... --kind erasure --regime gdpr --channel email "
      "\\\n"
      "    --received 2026-01-31 --words \"Please delete what you have of me.\"");
  RunOnline(*command, chosen, options, RegisterRequest);
}

void AddListOfRequests(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<RequestOptions>();
  CLI::App* command = group.add_subcommand("list", "Show requests, and what is due when");
  command
      ->add_option("--due", options->due,
                   "open: what waits for an answer, what is due next first; soon: what is overdue "
                   "or due within --days; overdue")
      ->check(CLI::IsMember({"open", "soon", "overdue"}))
      ->type_name("WHICH");
  command->add_option("--days", options->days, "With --due soon; 7 where it is not given")
      ->type_name("N");
  command->add_option("--client", options->client, "Of this client")->type_name("CLIENT");
  command->add_option("--kind", options->kind, "For this")->type_name("KIND");
  command->add_option("--state", options->state, "In this state")->type_name("STATE");
  command->footer("Example:\n  coffer request list --due open");
  RunOnline(*command, chosen, options, ListRequests, PurposeUse::kForNames);
}

// What can be said with a step.
struct StepCommand {
  const char* name;
  const char* step;
  const char* help;
  bool words_required = false, letter = true, letter_required = false, client = false,
       article = false, proofs = false, together = false;
};

constexpr StepCommand kStepCommands[] = {
    {.name = "acknowledge", .step = "acknowledge", .help = "The receipt was confirmed"},
    {.name = "check-identity",
     .step = "check_identity",
     .help = "It is being checked who asks: where the regime says so, no time is counted"},
    {.name = "accept",
     .step = "accept",
     .help = "It is known who asks, and it will be answered",
     .letter = false,
     .client = true},
    {.name = "start", .step = "start", .help = "Somebody works on it", .letter = false},
    {.name = "extend",
     .step = "extend",
     .help = "Take more time, once, with the reasons that the person was told",
     .words_required = true},
    {.name = "answer",
     .step = "answer",
     .help = "It was done, and this shows it",
     .article = true,
     .proofs = true,
     .together = true},
    {.name = "refuse",
     .step = "refuse",
     .help = "It was refused, by which article and letter",
     .letter_required = true,
     .article = true,
     .together = true},
    {.name = "withdraw", .step = "withdraw", .help = "Who asked wants it no more"},
    {.name = "close", .step = "close", .help = "Nothing follows any more", .letter = false},
    {.name = "reopen",
     .step = "reopen",
     .help = "Take up again what was decided",
     .words_required = true,
     .letter = false},
    {.name = "note",
     .step = "note",
     .help = "Say something about it, whatever its state",
     .words_required = true},
};

void AddStep(CLI::App& group, Command& chosen, const StepCommand& step) {
  auto options = std::make_shared<RequestOptions>();
  options->step = step.step;
  CLI::App* command = group.add_subcommand(step.name, step.help);
  command->add_option("request", options->id, "Request id (req_...)")
      ->type_name("REQUEST")
      ->required();
  if (step.client) {
    command->add_option("--client", options->client, "Of whom it is, where that was not known")
        ->type_name("CLIENT");
  }
  command->add_option("--words", options->words, "What there is to say; sealed, not in the log")
      ->type_name("TEXT")
      ->required(step.words_required);
  if (step.letter) {
    command->add_option("--letter", options->letter, "A reference to the letter that was sent")
        ->type_name("REFERENCE")
        ->required(step.letter_required);
  }
  if (step.article) {
    command
        ->add_option("--article", options->article,
                     step.proofs ? "By which the rest is kept, where not all was erased"
                                 : "By which it is refused")
        ->type_name("ARTICLE")
        ->required(!step.proofs);
  }
  if (step.proofs) {
    command
        ->add_option("--entry", options->entries,
                     "Number of the log's entry that shows it; repeatable")
        ->type_name("N");
    command->add_option("--erasure", options->erasure, "The erasure that it asked for")
        ->type_name("ERASURE");
  }
  if (step.together) {
    command->add_flag("--together", options->together,
                      "The client's other open requests for the same too");
  }
  const std::string sample = step.words_required ? " --words \"...\"" : "";
  command->footer(
      std::string("Example:\n  coffer request ") + step.name + " req_..." +
      (step.proofs ? " --erasure era_..."
                   : (step.letter_required ? " --article \"12(5)\" --letter L-17" : "") + sample));
  RunOnline(*command, chosen, options, TakeStep);
}

}  // namespace

void AddRequestCommands(CLI::App& app, Command& chosen) {
  CLI::App* group =
      app.add_subcommand("request", "What persons ask for: register it, answer it, be in time");
  group->require_subcommand(1);
  AddRegister(*group, chosen);
  AddListOfRequests(*group, chosen);
  {
    auto options = std::make_shared<RequestOptions>();
    CLI::App* command = group->add_subcommand("show", "Show one request with all of its steps");
    command->add_option("request", options->id, "Request id (req_...)")
        ->type_name("REQUEST")
        ->required();
    command->footer("Example:\n  coffer request show req_...");
    RunOnline(*command, chosen, options, ShowOneRequest, PurposeUse::kForNames);
  }
  for (const StepCommand& step : kStepCommands) AddStep(*group, chosen, step);
}

}  // namespace coffer::cli
