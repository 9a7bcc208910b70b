// coffer record: one record of one client, made and changed.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/client/client_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/import/field_values.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct RecordOptions {
  ConnectionOptions connection;
  std::string client, record, class_name;
  bool by_ref = false, replace = false;
  std::uint64_t version = 0;  // 0: the newest
  FieldOptions fields;
};

Target RecordsOf(const std::string& client) {
  return Target("/v1/clients").Segment(client).Segment("records");
}

Outcome<ClassShape> ShapeOfClass(ApiClient& client, const std::string& name) {
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/classes").Segment(name)));
  return ShapeOf(answer);
}

Outcome<Exit> ShowStored(const RecordOptions& options, const json& record, Console& console) {
  if (options.connection.json) {
    PrintJson(console, record);
    return Exit::kOk;
  }
  PrintFields(console,
              {{"record", Text(record, "id")},
               {"client", Text(record, "client")},
               {"class", Text(record, "class") + ", version " + Text(record, "class_version")},
               {"version", Text(record, "version")},
               {"updated", Text(record, "updated")}});
  return Exit::kOk;
}

Outcome<Exit> CreateRecord(const RecordOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const ClassShape shape, ShapeOfClass(client, options.class_name));
  COFFER_ASSIGN(const json data, ReadFields(options.fields, shape));
  COFFER_ASSIGN(const std::string id, ResolveClient(client, options.client, options.by_ref));
  COFFER_ASSIGN(
      const json made,
      client.Post(RecordsOf(id), json{{"class", options.class_name}, {"data", data}}.dump()));
  return ShowStored(options, made, console);
}

// Class and version of the record, from the list: that discloses nothing of what is in it.
Outcome<json> FindRecord(ApiClient& client, const std::string& owner, const std::string& record) {
  COFFER_ASSIGN(const json records, CollectPages(client, RecordsOf(owner)));
  for (const json& one : records) {
    if (Text(one, "id") == record) return one;
  }
  return Failed(Exit::kFailed, "the client has no such record",
                "coffer get shows those that are there.");
}

Outcome<Exit> UpdateRecord(const RecordOptions& options, Console& console) {
  if (options.replace && !options.fields.unset.empty()) {
    return Failed(Exit::kUsage, "--unset has no use with --replace",
                  "What is not given is gone then.");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string id, ResolveClient(client, options.client, options.by_ref));
  COFFER_ASSIGN(const json before, FindRecord(client, id, options.record));
  COFFER_ASSIGN(const ClassShape shape, ShapeOfClass(client, Text(before, "class")));
  COFFER_ASSIGN(const json data, ReadFields(options.fields, shape));
  const std::string version =
      options.version != 0 ? std::to_string(options.version) : Text(before, "version");
  const Target target = RecordsOf(id).Segment(options.record);
  const std::string body = json{{"data", data}}.dump();
  COFFER_ASSIGN(const json after, options.replace ? client.PutVersion(target, body, version)
                                                  : client.MergePatch(target, body, version));
  if (!options.connection.json && Text(after, "version") == version) {
    console.out << "Nothing changed.\n";
  }
  return ShowStored(options, after, console);
}

void AddFieldOptions(CLI::App& command, FieldOptions& fields) {
  command
      .add_option("--set", fields.set,
                  "A field and its value; repeatable, of a list once for each item")
      ->type_name("FIELD=VALUE")
      ->allow_extra_args(false);
}

void AddClientAndRef(CLI::App& command, RecordOptions& options) {
  command
      .add_option("client", options.client, "Client id (cli_...), or its reference with --by-ref")
      ->type_name("CLIENT")
      ->required();
  command.add_flag("--by-ref", options.by_ref, "CLIENT is the external reference, not the id");
}

void AddFile(CLI::App& command, FieldOptions& fields) {
  command.add_option("file", fields.file, "JSON file of an object of fields; - for standard input")
      ->type_name("FILE.json");
}

void AddRecordCreate(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<RecordOptions>();
  CLI::App* command = group.add_subcommand("create", "Add a record to a client");
  AddClientAndRef(*command, *options);
  AddFile(*command, options->fields);
  command->add_option("--class", options->class_name, "Class of the record")
      ->type_name("NAME")
      ->required();
  AddFieldOptions(*command, options->fields);
  command->footer(
      "Values are written as the class's field has them; --set stays in the shell's history.\n\n"
      "Examples:\n  coffer record create cli_... --class contact --set last_name=Example \\\n"
      "    --set email=jane@example.org --purpose client-care\n"
      "  coffer record create --by-ref 4711 - --class contact --purpose client-care < jane.json");
  RunOnline(*command, chosen, options, CreateRecord, PurposeUse::kRequired);
}

void AddUpdate(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<RecordOptions>();
  CLI::App* command =
      group.add_subcommand("update", "Change fields of a record; what is not given stays");
  AddClientAndRef(*command, *options);
  command->add_option("record", options->record, "Record id (rec_...)")
      ->type_name("RECORD")
      ->required();
  AddFile(*command, options->fields);
  AddFieldOptions(*command, options->fields);
  command->add_option("--unset", options->fields.unset, "A field to take away; repeatable")
      ->type_name("FIELD")
      ->allow_extra_args(false);
  command->add_flag("--replace", options->replace, "What is not given goes from the record");
  command
      ->add_option("--version", options->version,
                   "Change this version only: refused if there is a newer one")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53));
  command->footer(
      "In a file, null takes a field away.\n\n"
      "Example:\n  coffer record update cli_... rec_... --set city=Bern --unset phone \\\n"
      "    --purpose client-care");
  RunOnline(*command, chosen, options, UpdateRecord, PurposeUse::kRequired);
}

}  // namespace

void AddRecordCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("record", "Add a record, or change one");
  group->require_subcommand(1);
  AddRecordCreate(*group, chosen);
  AddUpdate(*group, chosen);
}

}  // namespace coffer::cli
