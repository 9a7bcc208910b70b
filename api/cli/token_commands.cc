// coffer token: who may speak to the server.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/commands.h"
#include "api/cli/connection.h"
#include "api/cli/json_view.h"
#include "api/cli/private_file.h"
#include "crypto/bytes.h"
#include "vault/access_policy.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::int64_t kSecondsPerDay = 86'400;

struct CreateOptions {
  ConnectionOptions connection;
  std::string name, role, out;
  int days = 0;
};

struct RevokeOptions {
  ConnectionOptions connection;
  std::string id;
};

void Describe(Console& console, const json& token) {
  PrintFields(console, {{"id", Text(token, "id")},
                        {"principal", Text(token, "principal")},
                        {"name", Text(token, "name")},
                        {"role", Text(token, "role")},
                        {"expires", Text(token, "expires")},
                        {"revoked", Text(token, "revoked")}});
}

// The token itself goes to the file when there is one, and then appears nowhere else.
Outcome<void> HandOver(Console& console, const CreateOptions& options, NewFile* file,
                       json& answer) {
  const std::string secret = Text(answer, "token");
  if (secret.empty()) return Failed(Exit::kFailed, "the server's answer holds no token");
  if (file != nullptr) {
    answer.erase("token");
    COFFER_TRY(file->Write(secret + "\n"));
    COFFER_TRY(file->Finish());
  }
  if (options.connection.json) {
    PrintJson(console, answer);
    return {};
  }
  Describe(console, answer);
  if (file != nullptr) {
    console.out << "The token is in " << Printable(options.out) << ".\n";
  } else {
    console.out << "The token, shown this once (keep it like a password):\n  " << Printable(secret)
                << '\n';
  }
  return {};
}

Outcome<Exit> CreateToken(const CreateOptions& options, Console& console) {
  std::unique_ptr<NewFile> file;
  if (!options.out.empty()) {
    COFFER_ASSIGN(file, NewFile::Create(options.out));
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  json body{{"name", options.name}, {"role", options.role}};
  if (options.days > 0) body["lifetime_s"] = options.days * kSecondsPerDay;
  COFFER_ASSIGN(json answer, client.Post(Target("/v1/tokens"), body.dump()));
  COFFER_TRY(HandOver(console, options, file.get(), answer));
  return Exit::kOk;
}

Outcome<Exit> ListTokens(const ConnectionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options, console));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/tokens")));
  if (options.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"TOKEN", "NAME", "ROLE", "CREATED", "EXPIRES", "REVOKED"});
  for (const json& token : Member(answer, "items")) {
    table.Add({Text(token, "id"), Text(token, "name"), Text(token, "role"), Text(token, "created"),
               Text(token, "expires"), Text(token, "revoked")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> RevokeToken(const RevokeOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json token, client.Delete(Target("/v1/tokens").Segment(options.id)));
  if (options.connection.json) {
    PrintJson(console, token);
  } else {
    Describe(console, token);
  }
  return Exit::kOk;
}

void AddCreate(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<CreateOptions>();
  CLI::App* command = group.add_subcommand("create", "Make a token for a person or a service");
  command->add_option("--name", options->name, "What the token is for, as it shows in the list")
      ->type_name("TEXT")
      ->required();
  command
      ->add_option("--role", options->role,
                   "What its holder may do: administrator, security-officer, privacy-officer,\n"
                   "supervisor, case-worker, crm-service, auditor, or a role made here")
      ->type_name("ROLE")
      ->required();
  command->add_option("--days", options->days, "Days until it expires; without it, 90")
      ->type_name("N")
      ->check(CLI::Range(1, 366));
  command
      ->add_option("--out", options->out,
                   "New file for the token, readable by you alone; without it the token is printed")
      ->type_name("FILE");
  AddConnectionOptions(*command, options->connection, PurposeUse::kNone);
  command->footer("Example:\n  coffer token create --name crm --role crm-service --out crm.token");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return CreateToken(*options, console); };
  });
}

void AddList(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<ConnectionOptions>();
  CLI::App* command = group.add_subcommand("list", "Show all tokens, but not the secrets");
  AddConnectionOptions(*command, *options, PurposeUse::kNone);
  command->footer("Example:\n  coffer token list");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return ListTokens(*options, console); };
  });
}

void AddRevoke(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<RevokeOptions>();
  CLI::App* command =
      group.add_subcommand("revoke", "End a token; counts from the next request on");
  command->add_option("token", options->id, "Id of the token (tok_...), not the token itself")
      ->type_name("ID")
      ->required();
  AddConnectionOptions(*command, options->connection, PurposeUse::kNone);
  command->footer("Example:\n  coffer token revoke tok_...");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return RevokeToken(*options, console); };
  });
}

}  // namespace

void AddTokenCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("token", "Make, list and revoke tokens");
  group->require_subcommand(1);
  AddCreate(*group, chosen);
  AddList(*group, chosen);
  AddRevoke(*group, chosen);
}

}  // namespace coffer::cli
