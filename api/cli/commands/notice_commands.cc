// coffer notice: what clients are told of a change, who was told, and who was not yet.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/client_lookup.h"
#include "api/cli/client/log_query.h"
#include "api/cli/commands/client_list_input.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kClientsPerTelling = 1000;
constexpr std::uint64_t kMostWordsBytes = 32 * 1024;

struct NoticeOptions {
  ConnectionOptions connection;
  std::string id, title, tag, purpose, consented_text, text, words_file, effective, state;
  std::string channel, evidence, at, not_told;
  std::vector<std::string> clients;
  std::uint64_t text_version = 0;
  bool all = false;
};

Target NoticeTarget(const std::string& id) { return Target("/v1/notices").Segment(id); }

std::string SelectionInWords(const json& notice) {
  const json& selection = Member(notice, "selection");
  for (const char* const kind : {"tag", "purpose", "text"}) {
    const std::string of = Text(selection, kind);
    if (of.empty()) continue;
    const std::string name = kind;
    return name == "tag" ? "clients with the tag " + of
                         : "clients whose consent to the " + name + " " + of + " stands";
  }
  return "all clients";
}

Outcome<Exit> ShowNotice(const NoticeOptions& options, const json& notice, Console& console) {
  if (options.connection.json) {
    PrintJson(console, notice);
    return Exit::kOk;
  }
  const json& text = Member(notice, "text");
  PrintFields(console,
              {{"id", Text(notice, "id")},
               {"state", Text(notice, "state")},
               {"title", Text(notice, "title")},
               {"concerns", SelectionInWords(notice)},
               {"text", text.is_object() ? Text(text, "name") + " version " + Text(text, "version")
                                         : Text(notice, "words")},
               {"effective", Text(notice, "effective")},
               {"told", Text(notice, "told") + " clients"},
               {"created", Text(notice, "created")},
               {"created by", Text(notice, "created_by")},
               {"closed", Text(notice, "closed")}});
  console.out << '\n';
  Table history({"NO", "STEP", "AT", "BY", "LOG ENTRY", "SAID"});
  for (const json& step : Member(notice, "history")) {
    // What was said first stands above.
    history.Add({Text(step, "number"), Text(step, "step"), Text(step, "at"), Text(step, "by"),
                 Text(step, "entry"), Text(step, "number") == "0" ? "" : Text(step, "said")});
  }
  history.Print(console);
  return Exit::kOk;
}

Outcome<json> SelectionBody(const NoticeOptions& options) {
  json selection = json::object();
  if (options.all) selection["all"] = true;
  if (!options.tag.empty()) selection["tag"] = options.tag;
  if (!options.purpose.empty()) selection["purpose"] = options.purpose;
  if (!options.consented_text.empty()) selection["text"] = options.consented_text;
  if (selection.size() == 1) return selection;
  return Failed(Exit::kUsage, "it is not said whom the notice concerns",
                "Give one of --all, --tag, --consent-to-purpose and --consent-to-text.");
}

Outcome<Exit> CreateNotice(const NoticeOptions& options, Console& console) {
  json body = {{"title", options.title}};
  COFFER_ASSIGN(body["selection"], SelectionBody(options));
  if (options.text.empty() == options.words_file.empty()) {
    return Failed(Exit::kUsage, "it is not said what the notice says",
                  "Give --text, of one that is stored, or --words with a file.");
  }
  if (!options.words_file.empty()) {
    COFFER_ASSIGN(std::string words, ReadInputFile(options.words_file, kMostWordsBytes));
    // The end of the last line is the file's.
    if (words.ends_with('\n')) words.pop_back();
    body["words"] = std::move(words);
  } else {
    body["text"] = {{"name", options.text}};
    if (options.text_version != 0) body["text"]["version"] = options.text_version;
  }
  COFFER_ASSIGN(body["effective"], NormalisedTime(options.effective, "--effective"));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json notice, client.Post(Target("/v1/notices"), body.dump()));
  return ShowNotice(options, notice, console);
}

Outcome<Exit> ListNotices(const NoticeOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/notices");
  target.With("state", options.state);
  COFFER_ASSIGN(const json notices, CollectPages(client, target));
  if (options.connection.json) {
    PrintJson(console, {{"items", notices}});
    return Exit::kOk;
  }
  if (notices.empty()) {
    console.out << "There is no notice.\n";
    return Exit::kOk;
  }
  Table table({"NOTICE", "STATE", "EFFECTIVE", "TOLD", "CONCERNS", "TITLE"});
  for (const json& notice : notices) {
    table.Add({Text(notice, "id"), Text(notice, "state"), Text(notice, "effective"),
               Text(notice, "told"), SelectionInWords(notice), Text(notice, "title")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowOneNotice(const NoticeOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json notice, client.Get(NoticeTarget(options.id)));
  return ShowNotice(options, notice, console);
}

struct ToldSum {
  std::uint64_t told = 0, already = 0, requests = 0;
};

Outcome<void> TellOnce(ApiClient& client, const NoticeOptions& options, json& body, ToldSum& sum) {
  COFFER_ASSIGN(const json answer,
                client.Post(NoticeTarget(options.id).Segment("tellings"), body.dump()));
  sum.told += Number(answer, "told").value_or(0);
  sum.already += Number(answer, "already").value_or(0);
  ++sum.requests;
  body.erase("cursor");
  const std::string next = Text(answer, "next_cursor");
  if (!next.empty()) body["cursor"] = next;
  return {};
}

// In batches: where one fails, what was recorded before stays, and saying it again records the
// rest.
Outcome<ToldSum> TellAll(ApiClient& client, const NoticeOptions& options, json body,
                         const std::vector<std::string>& clients) {
  ToldSum sum;
  if (options.all) {
    body["all"] = true;
    do {
      COFFER_TRY(TellOnce(client, options, body, sum));
    } while (body.contains("cursor"));
    return sum;
  }
  for (std::size_t from = 0; from < clients.size(); from += kClientsPerTelling) {
    const std::size_t until = std::min(clients.size(), from + kClientsPerTelling);
    body["clients"] =
        std::vector<std::string>(clients.begin() + static_cast<std::ptrdiff_t>(from),
                                 clients.begin() + static_cast<std::ptrdiff_t>(until));
    COFFER_TRY(TellOnce(client, options, body, sum));
  }
  return sum;
}

Outcome<Exit> TellNotice(const NoticeOptions& options, Console& console) {
  json body = {{"channel", options.channel}, {"evidence", options.evidence}};
  COFFER_ASSIGN(const std::string at, NormalisedTime(options.at, "--at"));
  if (!at.empty()) body["at"] = at;
  if (options.all != options.clients.empty()) {
    return Failed(Exit::kUsage, "it is not said which clients were told",
                  "Give --client, or --all of whom the notice concerns.");
  }
  std::vector<std::string> clients;
  if (!options.all) {
    COFFER_ASSIGN(const auto lines, ReadClientLines(options.clients, {}));
    for (const ClientLine& line : lines) clients.push_back(line.name);
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const ToldSum sum, TellAll(client, options, std::move(body), clients));
  if (options.connection.json) {
    PrintJson(console, {{"told", sum.told}, {"already", sum.already}, {"requests", sum.requests}});
  } else if (sum.told == 0) {
    console.out << "Nothing was recorded: " << Grouped(sum.already)
                << " clients had been told before.\n";
  } else {
    console.out << Grouped(sum.told) << " clients are recorded as told; " << Grouped(sum.already)
                << " had been before. Who was not: coffer notice pending\n";
  }
  return Exit::kOk;
}

Outcome<Exit> ShowPending(const NoticeOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json pending,
                CollectPages(client, NoticeTarget(options.id).Segment("pending")));
  if (options.connection.json) {
    PrintJson(console, {{"items", pending}});
  } else if (pending.empty()) {
    console.out << "Nobody is pending: every client that the notice concerns was told.\n";
  } else {
    for (const json& one : pending) console.out << Printable(Text(one, "client")) << '\n';
  }
  return pending.empty() ? Exit::kOk : Exit::kIncomplete;
}

std::string StoppedInWords(const json& objection) {
  const auto joined = [&](const char* member) {
    std::string words;
    for (const std::string& one : TextList(objection, member)) {
      words += (words.empty() ? "" : ", ") + one;
    }
    return words;
  };
  const std::string purposes = joined("purposes"), bases = joined("legal_bases");
  if (Text(objection, "all_but") == "true") {
    return purposes.empty() ? "all" : "all but " + purposes;
  }
  if (bases.empty()) return purposes;
  return purposes + (purposes.empty() ? "" : ", and ") + "all based on " + bases;
}

Outcome<Exit> ShowObjections(const NoticeOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json objections,
                CollectPages(client, NoticeTarget(options.id).Segment("objections")));
  if (options.connection.json) {
    PrintJson(console, {{"items", objections}});
    return Exit::kOk;
  }
  if (objections.empty()) {
    console.out << "No client that was told has objected, or had its processing restricted.\n";
    return Exit::kOk;
  }
  Table table({"CLIENT", "RESTRICTION", "SINCE", "STOPS"});
  for (const json& one : objections) {
    table.Add(
        {Text(one, "client"), Text(one, "restriction"), Text(one, "since"), StoppedInWords(one)});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> CloseNotice(const NoticeOptions& options, Console& console) {
  json body = json::object();
  if (!options.not_told.empty()) body["not_told"] = options.not_told;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json notice,
                client.Post(NoticeTarget(options.id).Segment("close"), body.dump()));
  return ShowNotice(options, notice, console);
}

void AddNoticeId(CLI::App& command, NoticeOptions& options) {
  command.add_option("notice", options.id, "Notice id (ntc_...)")->type_name("NOTICE")->required();
}

void AddCreate(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<NoticeOptions>();
  CLI::App* command = group.add_subcommand("create", "Register what clients are to be told");
  command->add_option("--title", options->title, "What it is about")->type_name("TEXT")->required();
  command->add_flag("--all", options->all, "It concerns all clients");
  command->add_option("--tag", options->tag, "It concerns clients with this tag")->type_name("TAG");
  command
      ->add_option("--consent-to-purpose", options->purpose,
                   "It concerns clients whose consent to this purpose stands")
      ->type_name("PURPOSE");
  command
      ->add_option("--consent-to-text", options->consented_text,
                   "It concerns clients whose consent to this text stands")
      ->type_name("TEXT");
  command->add_option("--text", options->text, "It says this consent text, which is stored")
      ->type_name("NAME");
  command->add_option("--text-version", options->text_version, "This version of it, not the newest")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->add_option("--words", options->words_file, "It says what is in this file; \"-\": input")
      ->type_name("FILE");
  command->add_option("--effective", options->effective, "From when on it holds")
      ->type_name("TIME")
      ->required();
  command->footer(
      "Example:\n"
      "  coffer notice create --title \"New terms\" --all --words terms.txt --effective "
      "2027-01-01");
  RunOnline(*command, chosen, options, CreateNotice);
}

void AddTold(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<NoticeOptions>();
  CLI::App* command = group.add_subcommand("told", "Record that clients were told");
  AddNoticeId(*command, *options);
  command
      ->add_option("--channel", options->channel,
                   "app, email, in-person, letter, message, other, phone, portal or website")
      ->type_name("CHANNEL")
      ->required();
  command->add_option("--evidence", options->evidence, "Where it is shown, by reference")
      ->type_name("TEXT")
      ->required();
  command->add_option("--at", options->at, "When, if not now")->type_name("TIME");
  command
      ->add_option("--client", options->clients,
                   "Client id (cli_...), a file with one in each line, or \"-\" for standard\n"
                   "input; several times")
      ->type_name("CLIENT");
  command->add_flag("--all", options->all, "All that the notice concerns, and that are there");
  command->footer(
      "Example:\n  coffer notice told ntc_... --channel email --evidence \"campaign 12\" --all");
  RunOnline(*command, chosen, options, TellNotice);
}

}  // namespace

void AddNoticeCommands(CLI::App& app, Command& chosen) {
  CLI::App* group =
      app.add_subcommand("notice", "Notices to clients of a change, and who was told");
  group->require_subcommand(1);
  AddCreate(*group, chosen);

  auto listed = std::make_shared<NoticeOptions>();
  CLI::App* list = group->add_subcommand("list", "List notices");
  list->add_option("--state", listed->state, "Only these")
      ->check(CLI::IsMember({"open", "closed"}))
      ->type_name("STATE");
  list->footer("Example:\n  coffer notice list --state open");
  RunOnline(*list, chosen, listed, ListNotices);

  auto shown = std::make_shared<NoticeOptions>();
  CLI::App* show = group->add_subcommand("show", "Show a notice and its steps");
  AddNoticeId(*show, *shown);
  show->footer("Example:\n  coffer notice show ntc_...");
  RunOnline(*show, chosen, shown, ShowOneNotice);

  AddTold(*group, chosen);

  auto waiting = std::make_shared<NoticeOptions>();
  CLI::App* pending = group->add_subcommand("pending", "List clients that were not told yet");
  AddNoticeId(*pending, *waiting);
  pending->footer("Exit code 10: there are such.\n\nExample:\n  coffer notice pending ntc_...");
  RunOnline(*pending, chosen, waiting, ShowPending);

  auto objecting = std::make_shared<NoticeOptions>();
  CLI::App* objections = group->add_subcommand(
      "objections", "List restrictions of clients that were told, placed since");
  AddNoticeId(*objections, *objecting);
  objections->footer("Example:\n  coffer notice objections ntc_...");
  RunOnline(*objections, chosen, objecting, ShowObjections);

  auto closing = std::make_shared<NoticeOptions>();
  CLI::App* close = group->add_subcommand("close", "Close a notice, once everybody was told");
  AddNoticeId(*close, *closing);
  close->add_option("--not-told", closing->not_told, "Why clients were not told")->type_name("WHY");
  close->footer("Example:\n  coffer notice close ntc_...");
  RunOnline(*close, chosen, closing, CloseNotice);
}

}  // namespace coffer::cli
