// coffer client create, coffer client list.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/client/client_lookup.h"
#include "api/cli/client/log_query.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/private_file.h"
#include "api/cli/import/field_values.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kMostOfClient = 64 * 1024;

struct CreateOptions {
  ConnectionOptions connection;
  std::string file, reference, relationship_end;
  std::vector<std::string> tags;
  bool accept_erased = false;
};

struct ListOptions {
  ConnectionOptions connection;
  std::string tag, class_name;
  std::size_t limit = 1000;
};

Outcome<json> ReadClient(const std::string& file) {
  if (file.empty()) return json::object();
  COFFER_ASSIGN(const std::string text, ReadInputFile(file, kMostOfClient));
  auto value = vault::ParseStrictJson(text);
  if (value && value->is_object()) return *std::move(value);
  return Failed(Exit::kUsage, file + " is not a JSON object",
                R"(Write {"external_ref": "...", "tags": ["..."]}.)");
}

Outcome<json> ClientOf(const CreateOptions& options) {
  COFFER_ASSIGN(json client, ReadClient(options.file));
  const auto put = [&](const char* name, json value) -> Outcome<void> {
    if (!client.contains(name)) {
      client[name] = std::move(value);
      return {};
    }
    return Failed(Exit::kUsage, std::string("\"") + name + "\" is given twice",
                  "Give it in the file or as an option.");
  };
  for (const std::string* text : {&options.reference, &options.relationship_end}) {
    if (!vault::IsCleanUtf8(*text)) return Failed(Exit::kUsage, "what was given is not UTF-8 text");
  }
  if (!options.reference.empty()) COFFER_TRY(put("external_ref", options.reference));
  for (const std::string& tag : options.tags) {
    if (!vault::IsCleanUtf8(tag)) return Failed(Exit::kUsage, "a tag is not UTF-8 text");
  }
  if (!options.tags.empty()) COFFER_TRY(put("tags", options.tags));
  if (!options.relationship_end.empty()) {
    COFFER_ASSIGN(const std::string end,
                  NormalisedTime(options.relationship_end, "--relationship-end"));
    COFFER_TRY(put("relationship_end", end));
  }
  if (options.accept_erased) COFFER_TRY(put("erased_before", "accept"));
  return client;
}

std::string TagsOf(const json& client) {
  std::string joined;
  for (const std::string& tag : TextList(client, "tags")) {
    joined += (joined.empty() ? "" : " ") + tag;
  }
  return joined;
}

Outcome<Exit> CreateClient(const CreateOptions& options, Console& console) {
  COFFER_ASSIGN(const json body, ClientOf(options));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json made, client.Post(Target("/v1/clients"), body.dump()));
  if (options.connection.json) {
    PrintJson(console, made);
    return Exit::kOk;
  }
  PrintFields(console, {{"client", Text(made, "id")},
                        {"reference", Text(made, "external_ref")},
                        {"tags", TagsOf(made)},
                        {"version", Text(made, "version")},
                        {"created", Text(made, "created")}});
  return Exit::kOk;
}

Outcome<Exit> ListClients(const ListOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/clients");
  target.With("tag", options.tag).With("class", options.class_name);
  COFFER_ASSIGN(const json found, CollectUpTo(client, target, options.limit));
  if (options.connection.json) {
    PrintJson(console, found);
    return Exit::kOk;
  }
  const json& clients = Member(found, "items");
  if (clients.empty()) {
    console.out << "No clients.\n";
    return Exit::kOk;
  }
  Table table({"CLIENT", "REFERENCE", "TAGS", "UPDATED"});
  for (const json& one : clients) {
    table.Add({Text(one, "id"), Text(one, "external_ref"), TagsOf(one),
               Text(one, "updated").substr(0, std::string_view("YYYY-MM-DD").size())});
  }
  table.Print(console);
  if (Text(found, "more") == "true") {
    console.out << "There are more than these " << Grouped(clients.size())
                << ": show more with --limit.\n";
  }
  return Exit::kOk;
}

}  // namespace

void AddClientRegisterCommands(CLI::App& group, Command& chosen) {
  {
    auto options = std::make_shared<CreateOptions>();
    CLI::App* command = group.add_subcommand("create", "Make a client");
    command->add_option("file", options->file, "JSON file of the client; - for standard input")
        ->type_name("FILE.json");
    command->add_option("--ref", options->reference, "External reference: the id of your CRM")
        ->type_name("REF");
    command->add_option("--tag", options->tags, "A tag; repeatable")
        ->type_name("TAG")
        ->allow_extra_args(false);
    command
        ->add_option("--relationship-end", options->relationship_end,
                     "When the relationship ended, if it has")
        ->type_name("TIME");
    command->add_flag("--accept-erased", options->accept_erased,
                      "Take the reference of a client that was erased before; it is in the log");
    command->footer("Example:\n  coffer client create --ref 4711 --tag vip --purpose client-care");
    RunOnline(*command, chosen, options, CreateClient, PurposeUse::kRequired);
  }
  auto options = std::make_shared<ListOptions>();
  CLI::App* command =
      group.add_subcommand("list", "Show the clients, as far as your role sees them");
  command->add_option("--tag", options->tag, "Only those with this tag")->type_name("TAG");
  command->add_option("--class", options->class_name, "Only those with a record of this class")
      ->type_name("NAME");
  command->add_option("--limit", options->limit, "Show at most so many")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53))
      ->capture_default_str();
  command->footer("Example:\n  coffer client list --tag vip --purpose client-care");
  RunOnline(*command, chosen, options, ListClients, PurposeUse::kRequired);
}

}  // namespace coffer::cli
