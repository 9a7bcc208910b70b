// coffer token: what services show to be let in.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/client/client_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/deferred_signals.h"
#include "api/cli/files/one_time_secret.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::int64_t kSecondsPerHour = 3600;
constexpr std::int64_t kSecondsPerDay = 24 * kSecondsPerHour;

struct TokenOptions {
  ConnectionOptions connection;
  std::string id, name, principal, role, certificate, out, state, service;
  std::vector<std::string> actions, networks;
  int days = 0, overlap_hours = 0;
};

std::string Limits(const json& token) {
  const json& limits = Member(token, "limits");
  return limits.empty() ? std::string() : TextOf(limits);
}

void DescribeToken(Console& console, const json& token) {
  PrintFields(console, {{"id", Text(token, "id")},
                        {"principal", Text(token, "principal")},
                        {"name", Text(token, "name")},
                        {"role", Text(token, "role")},
                        {"limits", Limits(token)},
                        {"expires", Text(token, "expires")},
                        {"state", Text(token, "state")},
                        {"revoked", Text(token, "revoked")}});
}

// Of a rotation, which cannot be taken back.
std::string AboutOld(const TokenOptions& options) {
  if (options.id.empty()) return {};
  return options.overlap_hours > 0
             ? " The old one goes on until its overlap ends."
             : " The old one has ended: make another with coffer token create.";
}

// A token that nobody has the secret of would stay valid, unseen, until it expires.
Outcome<Exit> HandOver(const TokenOptions& options, ApiClient& client, OneTimeSecret& token,
                       const json& answer, Console& console) {
  const std::string id = Text(answer, "id");
  COFFER_TRY(token.HandOver(
      console, answer,
      {.member = "token",
       .what = "The token",
       .json = options.connection.json,
       .describe = DescribeToken,
       .undo = [&]() -> Outcome<void> {
         client.ForgetApproval();
         COFFER_TRY(client.Delete(Target("/v1/tokens").Segment(id)));
         return {};
       },
       .undone = "The new token " + id + " was revoked: nobody got its secret." + AboutOld(options),
       .left_over = "Nobody got the secret of the new token, which is still valid. Revoke it: "
                    "coffer token revoke " +
                    id}));
  return Exit::kOk;
}

json LimitsOf(const TokenOptions& options) {
  json limits = json::object();
  if (!options.actions.empty()) limits["actions"] = options.actions;
  if (!options.networks.empty()) limits["networks"] = options.networks;
  if (!options.certificate.empty()) limits["certificate"] = options.certificate;
  return limits;
}

Outcome<Exit> CreateToken(const TokenOptions& options, Console& console) {
  COFFER_ASSIGN(OneTimeSecret token, OneTimeSecret::PlacedIn(options.out));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  json body{{"name", options.name}};
  if (!options.principal.empty()) body["principal"] = options.principal;
  if (!options.role.empty()) body["role"] = options.role;
  if (options.days > 0) body["lifetime_s"] = options.days * kSecondsPerDay;
  if (json limits = LimitsOf(options); !limits.empty()) body["limits"] = std::move(limits);
  const DeferredSignals until_handed_over;
  COFFER_ASSIGN(const json answer, client.Post(Target("/v1/tokens"), body.dump()));
  return HandOver(options, client, token, answer, console);
}

Outcome<Exit> RotateToken(const TokenOptions& options, Console& console) {
  COFFER_ASSIGN(OneTimeSecret token, OneTimeSecret::PlacedIn(options.out));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  const DeferredSignals until_handed_over;
  COFFER_ASSIGN(const json answer,
                client.Post(Target("/v1/tokens").Segment(options.id).Segment("rotate"),
                            json{{"overlap_s", options.overlap_hours * kSecondsPerHour}}.dump()));
  return HandOver(options, client, token, answer, console);
}

// "active, 12 days left", "rotated: tok_...".
std::string TokenStateOf(const json& token) {
  std::string state = Text(token, "state");
  if (const auto left = Number(token, "expires_in_s")) {
    const auto days = *left / std::uint64_t{kSecondsPerDay};
    const auto hours = *left / std::uint64_t{kSecondsPerHour};
    state += days >= 2    ? ", " + std::to_string(days) + " days left"
             : hours >= 2 ? ", " + std::to_string(hours) + " hours left"
                          : ", " + std::to_string(*left / 60) + " minutes left";
  }
  if (const std::string heir = Text(token, "replaced_by"); !heir.empty()) {
    state += "; replaced by " + heir;
  }
  return state;
}

Outcome<Exit> ListTokens(const TokenOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/tokens");
  target.With("state", options.state).With("principal", options.service).With("limit", "200");
  COFFER_ASSIGN(const json tokens, CollectPages(client, target));
  if (options.connection.json) {
    PrintJson(console, {{"items", tokens}});
    return Exit::kOk;
  }
  if (tokens.empty()) {
    console.out << "No token is like that.\n";
    return Exit::kOk;
  }
  Table table({"TOKEN", "SERVICE", "NAME", "STATE", "ROLE", "CREATED", "EXPIRES", "LIMITS"});
  for (const json& token : tokens) {
    table.Add({Text(token, "id"), Text(token, "principal"), Text(token, "name"),
               TokenStateOf(token), Text(token, "role"), Text(token, "created"),
               Text(token, "expires"), Limits(token)});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> RevokeToken(const TokenOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json token, client.Delete(Target("/v1/tokens").Segment(options.id)));
  if (options.connection.json) {
    PrintJson(console, token);
  } else {
    DescribeToken(console, token);
  }
  return Exit::kOk;
}

void AddId(CLI::App& command, std::string& id) {
  command.add_option("token", id, "Id of the token (tok_...), not the token itself")
      ->type_name("ID")
      ->required();
}

void AddOut(CLI::App& command, std::string& out) {
  command
      .add_option("--out", out,
                  "New file for the token, readable by you alone; without it the token is printed")
      ->type_name("FILE");
}

CLI::Option* AddRepeated(CLI::App& command, const char* name, std::vector<std::string>& values,
                         const char* help) {
  return command.add_option(name, values, help)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void AddTokenCreate(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<TokenOptions>();
  CLI::App* command = group.add_subcommand("create", "Make a token for a service");
  command->add_option("--name", options->name, "What the token is for, as it shows in the list")
      ->type_name("TEXT")
      ->required();
  CLI::Option_group* const whose = command->add_option_group("Whose it is");
  whose->require_option(1);
  whose
      ->add_option("--principal", options->principal,
                   "The service (svc_...), as coffer service list shows it")
      ->type_name("ID");
  whose->add_option("--role", options->role, "The role of a new service of this name")
      ->type_name("ROLE");
  command->add_option("--days", options->days, "Days until it expires; without it, 90")
      ->type_name("N")
      ->check(CLI::Range(1, 366));
  AddRepeated(*command, "--action", options->actions,
              "Let it do this only, of what the role allows: record.read; may be repeated")
      ->type_name("ACTION");
  AddRepeated(*command, "--network", options->networks,
              "Let it be used from here only: 192.0.2.0/24; may be repeated")
      ->type_name("NETWORK");
  command
      ->add_option("--certificate", options->certificate,
                   "Let it be used with this client certificate only: spki:HEX, dns:NAME or "
                   "uri:URI")
      ->type_name("BINDING");
  AddOut(*command, options->out);
  command->footer(
      "Example:\n  coffer token create --name crm --principal svc_... --network 192.0.2.0/24 \\\n"
      "    --out crm.token");
  RunOnline(*command, chosen, options, CreateToken);
}

void AddRotate(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<TokenOptions>();
  CLI::App* command =
      group.add_subcommand("rotate", "Make a new token in the place of one that is valid");
  AddId(*command, options->id);
  command
      ->add_option("--overlap", options->overlap_hours,
                   "Hours for which the old one goes on; without it, it ends at once")
      ->type_name("HOURS")
      ->check(CLI::Range(0, 168));
  AddOut(*command, options->out);
  command->footer("Example:\n  coffer token rotate tok_... --overlap 24 --out crm.token.new");
  RunOnline(*command, chosen, options, RotateToken);
}

void AddTokenList(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<TokenOptions>();
  CLI::App* command =
      group.add_subcommand("list", "Show tokens, whose they are and whether they can be used");
  command->add_option("--state", options->state, "Only those in this state")
      ->type_name("active|disabled|expired|revoked|rotated")
      ->check(CLI::IsMember({"active", "disabled", "expired", "revoked", "rotated"}));
  command
      ->add_option("--service,--principal", options->service,
                   "Only those of this service: its name or id")
      ->type_name("SERVICE");
  command->footer("Example:\n  coffer token list --state active --service crm");
  RunOnline(*command, chosen, options, ListTokens);
}

void AddRevoke(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<TokenOptions>();
  CLI::App* command =
      group.add_subcommand("revoke", "End a token; counts from the next request on");
  AddId(*command, options->id);
  command->footer("Example:\n  coffer token revoke tok_...");
  RunOnline(*command, chosen, options, RevokeToken);
}

}  // namespace

void AddTokenCommands(CLI::App& app, Command& chosen) {
  CLI::App* group =
      app.add_subcommand("token", "Make, list, rotate and revoke the tokens of services");
  group->require_subcommand(1);
  AddTokenCreate(*group, chosen);
  AddTokenList(*group, chosen);
  AddRotate(*group, chosen);
  AddRevoke(*group, chosen);
}

}  // namespace coffer::cli
