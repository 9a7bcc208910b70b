// coffer export: clients and their records in bulk, as JSON Lines or as tables.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/connection.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/private_file.h"
#include "api/cli/files/record_tables.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kPageLines = 500;

struct ClientExportOptions {
  ConnectionOptions connection;
  std::string tag, out, format = "json";
  bool byte_order_mark = false;
  std::vector<std::string> classes;
  std::string recipient;
};

struct Exported {
  std::uint64_t clients = 0, records = 0;
};

// Where the lines go: to one file, or to a directory of tables.
struct Destination {
  std::unique_ptr<NewFile> file;
  std::unique_ptr<RecordTables> tables;

  Outcome<void> Add(const json& line) {
    return file ? file->Write(line.dump() + "\n") : tables->Add(line);
  }
  Outcome<void> Finish() { return file ? file->Finish() : tables->Finish(); }
};

Outcome<Destination> Place(const ClientExportOptions& options) {
  Destination destination;
  if (options.format == "csv") {
    COFFER_ASSIGN(destination.tables,
                  RecordTables::Create(options.out, "clients.csv", options.byte_order_mark));
  } else {
    COFFER_ASSIGN(destination.file, NewFile::Create(options.out));
  }
  return destination;
}

Outcome<void> WritePage(const json& page, Destination& destination, Exported& exported) {
  for (const json& line : Member(page, "items")) {
    ++(line.contains("client") ? exported.clients : exported.records);
    COFFER_TRY(destination.Add(line));
  }
  return {};
}

Outcome<Exit> Export(const ClientExportOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  json body = {{"limit", kPageLines}};
  if (!options.tag.empty()) body["tag"] = options.tag;
  if (!options.classes.empty()) body["classes"] = options.classes;
  if (!options.recipient.empty()) body["recipient"] = options.recipient;
  COFFER_ASSIGN(Destination destination, Place(options));
  Exported exported;
  do {
    COFFER_ASSIGN(const json page, client.Post(Target("/v1/export"), body.dump()));
    COFFER_TRY(WritePage(page, destination, exported));
    const std::string next = Text(page, "next_cursor");
    if (!next.empty() && body.value("cursor", "") == next) {
      return Failed(Exit::kFailed, "the server's pages do not end");
    }
    body["cursor"] = next;
  } while (!body["cursor"].get_ref<const std::string&>().empty());
  COFFER_TRY(destination.Finish());
  if (options.connection.json) {
    PrintJson(
        console,
        {{"clients", exported.clients}, {"records", exported.records}, {"file", options.out}});
  } else {
    console.out << Grouped(exported.clients) << " clients and " << Grouped(exported.records)
                << " records are in " << Printable(options.out)
                << ".\nThey are not encrypted there, and an erasure does not reach them.\n";
  }
  return Exit::kOk;
}

}  // namespace

void AddExportCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<ClientExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Write clients and their records to a file");
  command
      ->add_option("file", options->out,
                   "New file for the JSON Lines, or new directory for the tables")
      ->type_name("FILE.ndjson|DIRECTORY")
      ->required();
  command
      ->add_option("--format", options->format,
                   "json: one file of lines; csv: a directory of tables, which coffer import reads")
      ->check(CLI::IsMember({"json", "csv"}))
      ->capture_default_str();
  command->add_flag("--bom", options->byte_order_mark,
                    "Begin CSV files with a byte order mark, by which Excel knows UTF-8");
  command->add_option("--tag", options->tag, "Only clients with this tag")->type_name("TAG");
  command->add_option("--class", options->classes, "Only records of this class; repeatable")
      ->type_name("NAME");
  command
      ->add_option("--recipient", options->recipient,
                   "To whom it goes (rcp_...): recorded as a disclosure")
      ->type_name("RECIPIENT");
  command->footer(
      "Two people decide it: coffer approval request export. Example:\n"
      "  coffer export vip.ndjson --tag vip --purpose data-subject-request --approval apr_...");
  RunOnline(*command, chosen, options, Export, PurposeUse::kRequired);
}

}  // namespace coffer::cli
