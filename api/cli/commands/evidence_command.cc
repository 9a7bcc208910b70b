// coffer evidence: what the log says of a client, a principal or a time, for somebody outside.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/connection.h"
#include "api/cli/client/log_query.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::chrono::minutes kPatience{10};

struct EvidenceOptions {
  ConnectionOptions connection;
  std::string client, principal, out;
  LogFilterOptions times;
};

Outcome<Exit> FetchEvidence(const EvidenceOptions& options, Console& console) {
  COFFER_ASSIGN(const LogFilterOptions times, Normalised(options.times));
  json body = json::object();
  for (const auto& [name, value] : {std::pair("client", &options.client),
                                    {"principal", &options.principal},
                                    {"from", &times.from},
                                    {"to", &times.to}}) {
    if (!value->empty()) body[name] = *value;
  }
  if (body.empty()) {
    return Failed(Exit::kUsage, "evidence of what?",
                  "Give --client ID, --principal ID, or --from TIME --to TIME.");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const auto file, NewFile::Create(options.out));
  HttpRequest request;
  request.method = "POST";
  request.target = "/v1/log/evidence";
  request.body = body.dump();
  request.content_type = "application/json";
  request.patience = kPatience;
  COFFER_ASSIGN(const HttpReply reply, client.Send(std::move(request)));
  COFFER_TRY(file->Write(reply.body));
  COFFER_TRY(file->Finish());
  console.out << "The evidence is in " << Printable(options.out)
              << ". Its pages open in a browser; it is checked with\n  coffer verify --evidence "
              << Printable(options.out) << " --log-key KEY\n";
  return Exit::kOk;
}

}  // namespace

void AddEvidenceCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<EvidenceOptions>();
  CLI::App* command =
      app.add_subcommand("evidence", "Make a signed bundle of log entries for somebody outside");
  command->add_option("file", options->out, "New file for the bundle")
      ->type_name("FILE.zip")
      ->required();
  auto* client = command->add_option("--client", options->client, "What is said of this client");
  client->type_name("ID");
  command->add_option("--principal", options->principal, "What this principal did")
      ->type_name("ID")
      ->excludes(client);
  command
      ->add_option("--from", options->times.from, "Entries from this time on (RFC 3339, or a day)")
      ->type_name("TIME");
  command->add_option("--to", options->times.to, "Entries before this time")->type_name("TIME");
  command->footer(
      "With times alone, everything of that time, which proves that nothing is left out.\n\n"
      "Examples:\n  coffer evidence access.zip --client cli_... --reason \"access request 17\"\n"
      "  coffer evidence january.zip --from 2026-01-01 --to 2026-02-01");
  RunOnline(*command, chosen, options, FetchEvidence);
}

}  // namespace coffer::cli
