// coffer erase, erasure, where: what goes for good, what shows it, and where something is left.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/client/client_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "audit/documents/page_language.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct EraseOptions {
  ConnectionOptions connection;
  std::string client, basis, class_name;
  std::vector<std::string> records;
  bool by_ref = false, yes = false;
};

struct ErasureOptions {
  ConnectionOptions connection;
  std::string id, out, format = "json", language = "en";
};

struct WhereOptions {
  ConnectionOptions connection;
  std::string client;
  bool by_ref = false;
};

void DescribeErasure(Console& console, const json& erasure) {
  PrintFields(console, {{"erasure", Text(erasure, "id")},
                        {"erased client", Text(erasure, "client")},
                        {"scope", Text(erasure, "scope")},
                        {"class", Text(erasure, "class")},
                        {"basis", Text(erasure, "basis")},
                        {"records", Text(erasure, "records")},
                        {"old versions", Text(erasure, "versions")},
                        {"at", Text(erasure, "erased")},
                        {"log entry", Text(erasure, "log_seq")}});
}

Outcome<Exit> ShowErasure(const ConnectionOptions& connection, const json& erasure,
                          Console& console) {
  if (connection.json) {
    PrintJson(console, erasure);
  } else {
    DescribeErasure(console, erasure);
  }
  return Exit::kOk;
}

Outcome<Exit> Erase(const EraseOptions& options, Console& console) {
  if (!options.yes) {
    return Failed(Exit::kUsage, "an erasure cannot be undone, not even from backups",
                  "Check the client with coffer get, then repeat the command with --yes.");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string id, ResolveClient(client, options.client, options.by_ref));
  Target target = Target("/v1/clients").Segment(id);
  if (options.class_name.empty() && options.records.empty()) {
    COFFER_ASSIGN(const json erasure, client.Delete(target.With("basis", options.basis)));
    return ShowErasure(options.connection, erasure, console);
  }
  json body = json::object();
  if (!options.basis.empty()) body["basis"] = options.basis;
  if (!options.class_name.empty()) body["class"] = options.class_name;
  if (!options.records.empty()) body["records"] = options.records;
  COFFER_ASSIGN(const json erasure, client.Post(target.Segment("erasures"), body.dump()));
  return ShowErasure(options.connection, erasure, console);
}

Outcome<Exit> ListAll(const ErasureOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json erasures, CollectPages(client, Target("/v1/erasures")));
  if (options.connection.json) {
    PrintJson(console, {{"items", erasures}});
    return Exit::kOk;
  }
  Table table({"ERASURE", "CLIENT", "SCOPE", "BASIS", "RECORDS", "ERASED"});
  for (const json& erasure : erasures) {
    table.Add({Text(erasure, "id"), Text(erasure, "client"), Text(erasure, "scope"),
               Text(erasure, "basis"), Text(erasure, "records"), Text(erasure, "erased")});
  }
  if (erasures.empty()) {
    console.out << "Nothing was erased yet.\n";
  } else {
    table.Print(console);
  }
  return Exit::kOk;
}

Outcome<Exit> ShowOne(const ErasureOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json erasure, client.Get(Target("/v1/erasures").Segment(options.id)));
  return ShowErasure(options.connection, erasure, console);
}

Outcome<Exit> FetchAct(const ErasureOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const auto file, NewFile::Create(options.out));
  HttpRequest request;
  request.method = "GET";
  request.target = Target("/v1/erasures")
                       .Segment(options.id)
                       .Segment("act")
                       .With("format", options.format)
                       .With("language", options.language)
                       .text();
  COFFER_ASSIGN(const HttpReply reply, client.Send(std::move(request)));
  COFFER_TRY(file->Write(reply.body));
  COFFER_TRY(file->Finish());
  console.out << (options.format.starts_with("log-") ? "The export of the log is in "
                                                     : "The act is in ")
              << Printable(options.out) << ".\n";
  if (options.format == "json") {
    console.out << "It is checked with\n  coffer verify --act " << Printable(options.out)
                << " --log-key KEY\n";
  }
  return Exit::kOk;
}

Outcome<Exit> ShowTraces(const WhereOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string id, ResolveClient(client, options.client, options.by_ref));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/clients").Segment(id).Segment("traces")));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"PLACE", "STATE", "COUNT", "WHAT"});
  for (const json& trace : Member(answer, "items")) {
    table.Add(
        {Text(trace, "place"), Text(trace, "state"), Text(trace, "count"), Text(trace, "detail")});
  }
  table.Print(console);
  return Exit::kOk;
}

void AddClientArgumentTo(CLI::App& command, std::string& client, bool& by_ref) {
  command.add_option("client", client, "Client id (cli_...), or its reference with --by-ref")
      ->type_name("CLIENT")
      ->required();
  command.add_flag("--by-ref", by_ref, "CLIENT is the external reference, not the id");
}

}  // namespace

void AddEraseCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<EraseOptions>();
  CLI::App* command =
      app.add_subcommand("erase", "Erase a client, a class of it or single records for ever");
  AddClientArgumentTo(*command, options->client, options->by_ref);
  auto* class_option =
      command->add_option("--class", options->class_name, "Only the records of this class");
  class_option->type_name("NAME");
  command->add_option("--record", options->records, "Only this record; may be given again")
      ->type_name("ID")
      ->allow_extra_args(false)  // what follows may be the client
      ->excludes(class_option);
  command
      ->add_option("--basis", options->basis,
                   "Why: request, consent-withdrawn, purpose-reached, contract-end or unlawful")
      ->type_name("BASIS");
  command->add_flag("--yes", options->yes, "Really do it: an erasure cannot be undone");
  command->footer(
      "Examples:\n  coffer erase cli_... --purpose data-subject-request --yes\n"
      "  coffer erase cli_... --class contact --basis consent-withdrawn "
      "--purpose data-subject-request --yes");
  RunOnline(*command, chosen, options, Erase, PurposeUse::kRequired);
}

void AddErasureCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("erasure", "What was erased, and its acts");
  group->require_subcommand(1);
  auto options = std::make_shared<ErasureOptions>();
  RunOnline(*group->add_subcommand("list", "Show all erasures, newest first"), chosen, options,
            ListAll, PurposeUse::kForNames);
  CLI::App* show = group->add_subcommand("show", "Show one erasure");
  show->add_option("id", options->id, "The erasure")->type_name("ERASURE")->required();
  RunOnline(*show, chosen, options, ShowOne, PurposeUse::kForNames);
  CLI::App* act = group->add_subcommand("act", "Fetch the signed act of an erasure");
  act->add_option("id", options->id, "The erasure")->type_name("ERASURE")->required();
  act->add_option("file", options->out, "New file for the act")->type_name("FILE")->required();
  act->add_option("--format", options->format,
                  "json: the signed act; html: a page for reading; log-json, log-csv: the export "
                  "of the log that belongs to it")
      ->check(CLI::IsMember({"json", "html", "log-json", "log-csv"}))
      ->capture_default_str();
  act->add_option("--language", options->language, "Of a page")
      ->check(CLI::IsMember(audit::PageLanguageNames()))
      ->capture_default_str();
  act->footer("Example:\n  coffer erasure act era_... act.json");
  RunOnline(*act, chosen, options, FetchAct);
}

void AddWhereCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<WhereOptions>();
  CLI::App* command =
      app.add_subcommand("where", "Show every place that could hold something of a client");
  AddClientArgumentTo(*command, options->client, options->by_ref);
  command->footer("Example:\n  coffer where cli_...");
  RunOnline(*command, chosen, options, ShowTraces);
}

}  // namespace coffer::cli
