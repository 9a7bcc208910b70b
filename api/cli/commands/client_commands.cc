// coffer get, search: one client at a time.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/client/class_titles.h"
#include "api/cli/client/client_lookup.h"
#include "api/cli/client/connection.h"
#include "api/cli/commands/commands.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct GetOptions {
  ConnectionOptions connection;
  std::string client, record, class_name;
  std::uint64_t version = 0;
  bool by_ref = false;
};

struct SearchOptions {
  ConnectionOptions connection;
  SearchQuery query;
  bool value_stdin = false;
};

void PrintClient(Console& console, const json& client) {
  PrintHeading(console, "Client " + Text(client, "id"));
  PrintFields(console,
              {{"reference", Text(client, "external_ref")},
               {"tags", Text(client, "tags") == "[]" ? "" : Text(client, "tags")},
               {"version", Text(client, "version")},
               {"created", Text(client, "created")},
               {"updated", Text(client, "updated")},
               {"relationship ended", Text(client, "relationship_end")}},
              "  ");
}

void PrintRecord(Console& console, const json& record, const ClassTitles& titles) {
  const std::string class_name = Text(record, "class");
  PrintHeading(console, "Record " + Text(record, "id"));
  PrintFields(console,
              {{"class", titles.Class(class_name) + ", version " + Text(record, "class_version")},
               {"version", Text(record, "version")},
               {"updated", Text(record, "updated")}},
              "  ");
  const std::vector<std::string> masked = TextList(record, "masked");
  std::vector<std::pair<std::string, std::string>> fields;
  const json& data = Member(record, "data");
  if (data.is_object()) {
    for (const auto& [name, value] : data.items()) {
      const bool is_masked = std::ranges::find(masked, name) != masked.end();
      fields.emplace_back(titles.Field(class_name, name),
                          TextOf(value) + (is_masked ? "  (masked)" : ""));
    }
  }
  PrintFields(console, fields, "    ");
}

Outcome<json> FetchRecords(ApiClient& client, const GetOptions& options, const std::string& id) {
  Target records = Target("/v1/clients").Segment(id).Segment("records");
  if (options.record.empty()) {
    return CollectPages(client, records.With("class", options.class_name).With("data", "true"));
  }
  records.Segment(options.record);
  if (options.version != 0) {
    records.Segment("versions").Segment(std::to_string(options.version));
  }
  COFFER_ASSIGN(json record, client.Get(records));
  return json::array({std::move(record)});
}

Outcome<Exit> Get(const GetOptions& options, Console& console) {
  if (options.version != 0 && options.record.empty()) {
    return Failed(Exit::kUsage, "--version needs a record", "Name it: coffer get CLIENT RECORD.");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string id, ResolveClient(client, options.client, options.by_ref));
  COFFER_ASSIGN(const json profile, client.Get(Target("/v1/clients").Segment(id)));
  COFFER_ASSIGN(const json records, FetchRecords(client, options, id));
  if (options.connection.json) {
    PrintJson(console, {{"client", profile}, {"records", records}});
    return Exit::kOk;
  }
  PrintClient(console, profile);
  const ClassTitles titles = ClassTitles::Read(client, ClassesOf(records), console);
  for (const json& record : records) PrintRecord(console, record, titles);
  if (records.empty()) console.out << "No records.\n";
  return Exit::kOk;
}

Outcome<Exit> Search(const SearchOptions& options, Console& console) {
  SearchQuery query = options.query;
  if (options.value_stdin == !query.value.empty()) {
    return Failed(Exit::kUsage,
                  "the value to search for is given once: after the options, or with "
                  "--value-stdin",
                  "--value-stdin keeps it out of the shell's history.");
  }
  if (options.value_stdin) std::getline(std::cin, query.value);
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json found, SearchClients(client, query));
  if (options.connection.json) {
    PrintJson(console, found);
    return Exit::kOk;
  }
  const json& hits = Member(found, "items");
  Table table({"CLIENT", "RECORD"});
  for (const json& hit : hits) table.Add({Text(hit, "client"), Text(hit, "record")});
  if (hits.empty()) {
    console.out << "Nothing found.\n";
  } else {
    table.Print(console);
  }
  if (Text(found, "more") == "true") {
    console.out << "There may be more than these " << Grouped(hits.size())
                << ": show more with --limit.\n";
  }
  return Exit::kOk;
}

void AddClientArgument(CLI::App& command, std::string& client, bool& by_ref) {
  command.add_option("client", client, "Client id (cli_...), or its reference with --by-ref")
      ->type_name("CLIENT")
      ->required();
  command.add_flag("--by-ref", by_ref, "CLIENT is the external reference, not the id");
}

}  // namespace

void AddGetCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<GetOptions>();
  CLI::App* command = app.add_subcommand("get", "Show a client and its records");
  AddClientArgument(*command, options->client, options->by_ref);
  command->add_option("record", options->record, "Show this record only (rec_...)")
      ->type_name("RECORD");
  command->add_option("--class", options->class_name, "Show records of this class only")
      ->type_name("NAME");
  command->add_option("--version", options->version, "Show this earlier version of RECORD")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53));
  AddConnectionOptions(*command, options->connection, PurposeUse::kRequired);
  command->footer(
      "Examples:\n  coffer get --by-ref 4711 --purpose client-care\n"
      "  coffer get cli_... rec_... --version 2 --purpose client-care");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return Get(*options, console); };
  });
}

void AddSearchCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<SearchOptions>();
  CLI::App* command = app.add_subcommand("search", "Find clients by the value of an indexed field");
  command->add_option("class,--class", options->query.class_name, "Class to search in")
      ->type_name("NAME")
      ->required();
  command
      ->add_option("field,--field", options->query.field,
                   "Field to compare; the class must index it")
      ->type_name("NAME")
      ->required();
  command->add_option("value", options->query.value, "Whole value to look for")->type_name("VALUE");
  command->add_flag("--value-stdin", options->value_stdin,
                    "Read the value from standard input: it then stays out of the shell's history");
  command->add_option("--limit", options->query.limit, "Show at most so many")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53))
      ->capture_default_str();
  AddConnectionOptions(*command, options->connection, PurposeUse::kRequired);
  command->footer(
      "Example:\n  coffer search --class contact --field email --purpose client-care "
      "--value-stdin");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return Search(*options, console); };
  });
}

}  // namespace coffer::cli
