// coffer class, coffer purpose, coffer role, coffer regime: what may be kept, why, who may do what
// with it, and when persons are answered.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/connection.h"
#include "api/cli/commands/commands.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "vault/base/strict_json.h"
#include "vault/catalog/purpose.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDefinition = 512 * 1024;
constexpr std::chrono::minutes kClassPreviewPatience{10};

struct PutOptions {
  ConnectionOptions connection;
  std::vector<std::string> files;
  bool preview = false;
};

// A definition and the name it is to be stored under.
struct Definition {
  std::string name, text;
};

Outcome<json> ReadJsonFile(const std::string& path, std::string& text) {
  COFFER_ASSIGN(text, ReadInputFile(path, kMaxDefinition));
  auto value = vault::ParseStrictJson(text);
  if (!value) {
    return std::unexpected(
        Failure{Exit::kUsage, FailureOf(value.error(), path + " is not usable JSON").message, {}});
  }
  return *std::move(value);
}

// A class or a role.
Outcome<Definition> ReadNamed(const std::string& path) {
  Definition definition;
  COFFER_ASSIGN(const json value, ReadJsonFile(path, definition.text));
  definition.name = Text(value, "name");
  if (definition.name.empty()) {
    return Failed(Exit::kUsage, path + " has no name", "Add the member \"name\".");
  }
  return definition;
}

Outcome<Definition> ReadPurpose(const std::string& path) {
  Definition definition;
  COFFER_TRY(ReadJsonFile(path, definition.text));
  definition.name = std::filesystem::path(path).stem().string();
  if (!vault::IsPurposeCode(definition.name)) {
    return Failed(Exit::kUsage, path + " is not named after a purpose",
                  "The name without .json is the code: small letters, digits, hyphens.");
  }
  return definition;
}

// All files are read before the first is sent, so that a slip in one changes nothing.
template <class Read>
Outcome<Exit> PutAll(const PutOptions& options, Console& console, const std::string& path,
                     Read read, std::string (*describe)(const json&)) {
  std::vector<Definition> definitions;
  for (const std::string& file : options.files) {
    COFFER_ASSIGN(Definition definition, read(file));
    definitions.push_back(std::move(definition));
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  for (Definition& definition : definitions) {
    COFFER_ASSIGN(const json answer,
                  client.Put(Target(path).Segment(definition.name), std::move(definition.text)));
    if (options.connection.json) {
      PrintJson(console, answer);
    } else {
      console.out << Printable(describe(answer)) << '\n';
    }
  }
  return Exit::kOk;
}

void ShowClassPreview(const json& preview, Console& console) {
  const bool moves = Text(preview, "moves_due_dates") == "true";
  PrintFields(console, {{"class", Text(preview, "class")},
                        {"newest version", Text(preview, "version")},
                        {"schedule", Text(preview, "schedule")},
                        {"as of", Text(preview, "at")},
                        {"due dates", moves ? "move; two people decide it: coffer approval request "
                                              "class"
                                            : "stay"}});
  if (!moves) return;
  Table table({"POLICY", "ACTION", "RECORDS", "UNCHANGED", "SOONER", "LATER", "BEGINS", "ENDS",
               "UNREADABLE", "DUE BEFORE", "DUE AFTER"});
  for (const json& change : Member(preview, "changes")) {
    table.Add({Text(change, "policy"), Text(change, "action"), Text(change, "records"),
               Text(change, "unchanged"), Text(change, "sooner"), Text(change, "later"),
               Text(change, "begins"), Text(change, "ends"), Text(change, "unreadable"),
               Text(change, "due_before"), Text(change, "due_after")});
  }
  table.Print(console);
}

Outcome<Exit> PreviewClasses(const PutOptions& options, Console& console) {
  std::vector<Definition> definitions;
  for (const std::string& file : options.files) {
    COFFER_ASSIGN(Definition definition, ReadNamed(file));
    definitions.push_back(std::move(definition));
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  for (Definition& definition : definitions) {
    COFFER_ASSIGN(const json answer,
                  client.Post(Target("/v1/classes").Segment(definition.name).Segment("preview"),
                              std::move(definition.text), kClassPreviewPatience));
    if (options.connection.json) {
      PrintJson(console, answer);
    } else {
      ShowClassPreview(answer, console);
    }
  }
  return Exit::kOk;
}

Outcome<Exit> PutClasses(const PutOptions& options, Console& console) {
  if (options.preview) return PreviewClasses(options, console);
  return PutAll(options, console, "/v1/classes", ReadNamed, [](const json& answer) {
    return "class " + Text(answer, "name") + ", version " + Text(answer, "version");
  });
}

Outcome<Exit> PutRoles(const PutOptions& options, Console& console) {
  return PutAll(options, console, "/v1/roles", ReadNamed, [](const json& answer) {
    return "role " + Text(answer, "name") + ", version " + Text(answer, "version");
  });
}

Outcome<Exit> PutPurposes(const PutOptions& options, Console& console) {
  return PutAll(options, console, "/v1/purposes", ReadPurpose, [](const json& answer) {
    return "purpose " + Text(answer, "code") + ": " + Text(answer, "title");
  });
}

Outcome<Exit> PutRegimes(const PutOptions& options, Console& console) {
  return PutAll(options, console, "/v1/regimes", ReadNamed, [](const json& answer) {
    return "regime " + Text(answer, "name") + ", version " + Text(answer, "version");
  });
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

Outcome<Exit> ListClasses(const ConnectionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options, console));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/classes")));
  if (options.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"CLASS", "VERSION", "FIELDS", "TITLE", "PURPOSES"});
  for (const json& item : Member(answer, "items")) {
    const json& definition = Member(item, "definition");
    const json& fields = Member(definition, "fields");
    table.Add({Text(item, "name"), Text(item, "version"),
               std::to_string(fields.is_object() ? fields.size() : 0), Text(definition, "title"),
               Joined(TextList(definition, "purposes"))});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ListPurposes(const ConnectionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options, console));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/purposes")));
  if (options.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"PURPOSE", "LEGAL BASIS", "OWNER", "TITLE"});
  for (const json& item : Member(answer, "items")) {
    table.Add(
        {Text(item, "code"), Text(item, "legal_basis"), Text(item, "owner"), Text(item, "title")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ListRoles(const ConnectionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options, console));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/roles")));
  if (options.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"ROLE", "VERSION", "GRANTS", "TITLE"});
  for (const json& item : Member(answer, "items")) {
    const json& definition = Member(item, "definition");
    const json& grants = Member(definition, "grants");
    table.Add({Text(item, "name"),
               Text(item, "built_in") == "true" ? "built in" : Text(item, "version"),
               std::to_string(grants.is_array() ? grants.size() : 0), Text(definition, "title")});
  }
  table.Print(console);
  for (const json& item : Member(answer, "items")) {
    for (const json& issue : Member(item, "not_evaluated")) {
      console.err << "coffer: role " << Printable(Text(item, "name")) << ": "
                  << Printable(Text(issue, "pointer") + " " + Text(issue, "message")) << '\n';
    }
  }
  return Exit::kOk;
}

Outcome<Exit> ListRegimes(const ConnectionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options, console));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/regimes")));
  if (options.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"REGIME", "VERSION", "TIME ZONE", "CALENDAR", "TITLE"});
  for (const json& item : Member(answer, "items")) {
    const json& definition = Member(item, "definition");
    const std::string ends = Text(item, "calendar_ends");
    table.Add({Text(item, "name"),
               Text(item, "built_in") == "true" ? "built in" : Text(item, "version"),
               Text(definition, "time_zone"),
               ends.empty() ? "none: each day counts as a working day" : "to " + ends,
               Text(definition, "title")});
  }
  table.Print(console);
  return Exit::kOk;
}

using Put = Outcome<Exit> (*)(const PutOptions&, Console&);
using ListWork = Outcome<Exit> (*)(const ConnectionOptions&, Console&);

void AddPut(CLI::App& group, Command& chosen, Put put, const char* help, const char* files_help,
            const char* footer, const char* preview_help = nullptr) {
  auto options = std::make_shared<PutOptions>();
  CLI::App* command = group.add_subcommand("put", help);
  command->add_option("files", options->files, files_help)->type_name("FILE.json")->required();
  if (preview_help != nullptr) command->add_flag("--preview", options->preview, preview_help);
  AddConnectionOptions(*command, options->connection, PurposeUse::kNone);
  command->footer(footer);
  command->callback([options, &chosen, put] {
    chosen = [options, put](Console& console) { return put(*options, console); };
  });
}

void AddList(CLI::App& group, Command& chosen, ListWork list, const char* help,
             const char* footer) {
  auto options = std::make_shared<ConnectionOptions>();
  CLI::App* command = group.add_subcommand("list", help);
  AddConnectionOptions(*command, *options, PurposeUse::kNone);
  command->footer(footer);
  command->callback([options, &chosen, list] {
    chosen = [options, list](Console& console) { return list(*options, console); };
  });
}

}  // namespace

void AddClassCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("class", "Define what records may hold");
  group->require_subcommand(1);
  AddPut(*group, chosen, PutClasses, "Store class definitions; a changed one becomes a new version",
         "Files that hold one definition each; its member \"name\" is the class",
         "Two people decide one that moves due dates: coffer approval request class. Example:\n"
         "  coffer class put contact.json contract.json",
         "Show what it would do to due dates; nothing is changed");
  AddList(*group, chosen, ListClasses, "Show the classes; with --json their fields too",
          "Example:\n  coffer class list --json");
}

void AddRoleCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("role", "Define what principals may do");
  group->require_subcommand(1);
  AddPut(*group, chosen, PutRoles, "Store roles; a changed one becomes a new version",
         "Files that hold one role each; its member \"name\" is its name",
         "Example:\n  coffer role put billing-desk.json");
  AddList(*group, chosen, ListRoles, "Show the roles; with --json their grants too",
          "Example:\n  coffer role list --json");
}

void AddRegimeCommands(CLI::App& app, Command& chosen) {
  CLI::App* group =
      app.add_subcommand("regime", "Say by which law requests are answered, and when");
  group->require_subcommand(1);
  AddPut(*group, chosen, PutRegimes,
         "Store regimes; a changed one becomes a new version, and what is open is computed anew",
         "Files that hold one regime each; its member \"name\" is its name",
         "Example:\n  coffer regime put gdpr.json");
  AddList(*group, chosen, ListRegimes, "Show the regimes; with --json their clocks too",
          "Example:\n  coffer regime list --json");
}

void AddPurposeCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("purpose", "Register why data is processed");
  group->require_subcommand(1);
  AddPut(*group, chosen, PutPurposes, "Store purposes in the register",
         "Files that hold one purpose each; the file's name without .json is its code",
         "Example:\n  coffer purpose put client-care.json");
  AddList(*group, chosen, ListPurposes, "Show the register of purposes",
          "Example:\n  coffer purpose list");
}

}  // namespace coffer::cli
