// coffer service: the programs that speak to the server.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/commands/commands.h"
#include "api/cli/commands/principal_view.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/deferred_signals.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_view.h"
#include "crypto/client_key.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::size_t kMostCertificate = 16'384;

struct ServiceOptions {
  ConnectionOptions connection;
  std::string id, name, role, owner;
  std::vector<std::string> certificates;
  PrincipalChangeOptions change;
  bool no_certificate = false;
};

struct CertificateOptions {
  ConnectionOptions connection;
  std::string id, out_certificate, out_key;
  int days = 0;
};

Target ServiceTarget(const std::string& id) { return Target("/v1/services").Segment(id); }

Outcome<Exit> CreateService(const ServiceOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  json body = {{"name", options.name}, {"role", options.role}};
  if (!options.owner.empty()) body["owner"] = options.owner;
  if (!options.certificates.empty()) body["certificates"] = options.certificates;
  COFFER_ASSIGN(const json service, client.Post(Target("/v1/services"), body.dump()));
  ShowPrincipal(console, service, options.connection.json);
  return Exit::kOk;
}

Outcome<Exit> ListServices(const ServiceOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/services")));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"SERVICE", "NAME", "ROLE", "OWNER", "CERTIFICATES", "DISABLED"});
  for (const json& service : Member(answer, "items")) {
    table.Add({Text(service, "id"), Text(service, "name"), Text(service, "role"),
               Text(service, "owner"), std::to_string(TextList(service, "certificates").size()),
               Text(service, "disabled")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowService(const ServiceOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json service, client.Get(ServiceTarget(options.id)));
  ShowPrincipal(console, service, options.connection.json);
  return Exit::kOk;
}

Outcome<Exit> SetService(const ServiceOptions& options, Console& console) {
  json change = ChangeOf(options.change);
  if (!options.certificates.empty()) change["certificates"] = options.certificates;
  if (options.no_certificate) change["certificates"] = json::array();
  if (change.empty()) {
    return Failed(Exit::kUsage, "nothing is to be changed",
                  "Give --name, --role, --disable, --enable, --certificate or --no-certificate.");
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json service, client.Patch(ServiceTarget(options.id), change.dump()));
  ShowPrincipal(console, service, options.connection.json);
  return Exit::kOk;
}

// The key is made here and stays here: the server gets the request that it signed.
Outcome<Exit> IssueCertificate(const CertificateOptions& options, Console& console) {
  COFFER_ASSIGN(const auto key_file, NewFile::Create(options.out_key));
  COFFER_ASSIGN(const auto certificate_file, NewFile::Create(options.out_certificate));
  const auto key = crypto::NewClientKey();
  if (!key) return std::unexpected(FailureOf(key.error(), "cannot make a key"));
  COFFER_TRY(key_file->Write(crypto::AsText(key->private_key_pem.ExposeSecret())));
  COFFER_TRY(certificate_file->Reserve(kMostCertificate));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  json body = {{"csr", key->csr_pem}};
  if (options.days > 0) body["lifetime_s"] = options.days * kDaySeconds;
  const DeferredSignals until_kept;
  COFFER_ASSIGN(const json answer,
                client.Post(ServiceTarget(options.id).Segment("certificates"), body.dump()));
  const std::string certificate = Text(answer, "certificate");
  if (certificate.empty()) return Failed(Exit::kFailed, "the answer holds no certificate");
  auto kept = certificate_file->Write(certificate);
  if (kept) kept = FinishAll({key_file.get(), certificate_file.get()});
  if (!kept) {
    Failure failure = std::move(kept).error();
    failure.advice +=
        "\nThe certificate that was issued is of use to nobody: its key is gone. Ask for another.";
    return std::unexpected(std::move(failure));
  }
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  DescribePrincipal(console, Member(answer, "service"));
  console.out << "The certificate is in " << Printable(options.out_certificate)
              << ", its private key in " << Printable(options.out_key) << ".\n";
  return Exit::kOk;
}

void AddServiceId(CLI::App& command, std::string& id) {
  command.add_option("service", id, "Service id (svc_...)")->type_name("ID")->required();
}

CLI::Option* AddBindings(CLI::App& command, std::vector<std::string>& certificates,
                         const char* help) {
  return command.add_option("--certificate", certificates, help)
      ->type_name("BINDING")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void AddServiceCreate(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<ServiceOptions>();
  CLI::App* command = group.add_subcommand("create", "Make a service");
  command->add_option("--name", options->name, "The service's name")->type_name("TEXT")->required();
  AddRoleOption(*command, options->role);
  command
      ->add_option("--owner", options->owner,
                   "Who answers for it (usr_...): that person approves nothing it asks for")
      ->type_name("ID");
  AddBindings(*command, options->certificates,
              "A certificate it is known by: spki:HEX, dns:NAME or uri:URI; may be repeated");
  command->footer(
      "Example:\n  coffer service create --name crm --role crm-service --owner usr_...");
  RunOnline(*command, chosen, options, CreateService);
}

void AddServiceSet(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<ServiceOptions>();
  CLI::App* command = group.add_subcommand("set", "Change a service");
  AddServiceId(*command, options->id);
  AddPrincipalChangeOptions(*command, options->change);
  auto* bindings =
      AddBindings(*command, options->certificates,
                  "A certificate it is known by, in the place of those of before; may be repeated");
  command->add_flag("--no-certificate", options->no_certificate, "Let it be known by none")
      ->excludes(bindings);
  command->footer("Example:\n  coffer service set svc_... --certificate dns:crm.example");
  RunOnline(*command, chosen, options, SetService);
}

void AddCertificate(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<CertificateOptions>();
  CLI::App* command = group.add_subcommand(
      "certificate", "Make a key on this machine and have the vault certify it for a service");
  AddServiceId(*command, options->id);
  command->add_option("--out-cert", options->out_certificate, "New file for the certificate")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--out-key", options->out_key,
                   "New file for its private key, readable by you alone")
      ->type_name("FILE")
      ->required();
  command->add_option("--days", options->days, "Days until it expires; without it, 90")
      ->type_name("N")
      ->check(CLI::Range(1, 366));
  command->footer(
      "Example:\n  coffer service certificate svc_... --out-cert crm.pem --out-key crm.key");
  RunOnline(*command, chosen, options, IssueCertificate);
}

}  // namespace

void AddServiceCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("service", "Make and change the programs that have access");
  group->require_subcommand(1);
  AddServiceCreate(*group, chosen);
  {
    auto options = std::make_shared<ServiceOptions>();
    CLI::App* command = group->add_subcommand("list", "Show all services");
    command->footer("Example:\n  coffer service list");
    RunOnline(*command, chosen, options, ListServices);
  }
  {
    auto options = std::make_shared<ServiceOptions>();
    CLI::App* command = group->add_subcommand("show", "Show one service");
    AddServiceId(*command, options->id);
    command->footer("Example:\n  coffer service show svc_...");
    RunOnline(*command, chosen, options, ShowService);
  }
  AddServiceSet(*group, chosen);
  AddCertificate(*group, chosen);
}

}  // namespace coffer::cli
