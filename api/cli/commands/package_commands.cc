// coffer package: all that is kept of one client, for the client; prepared, and handed out once.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "api/cli/client/client_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/package_archive.h"
#include "api/cli/files/package_content_files.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "api/cli/text/passphrase.h"
#include "crypto/encoding.h"
#include "crypto/random.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kHandOutKeyBytes = 18;  // 24 characters
constexpr std::size_t kMaxCertificate = 64UZ * 1024;
constexpr int kTries = 3;  // of each part

struct PackageOptions {
  ConnectionOptions connection;
  std::string package, client, request, whom, state, output, passphrase_file, recipient, contact,
      key;
  std::vector<std::string> languages;
  std::optional<std::uint64_t> days;
  bool names_staff = false, open = false;
};

Target PackageTarget(const std::string& id) { return Target("/v1/packages").Segment(id); }

Outcome<Exit> ShowPackage(const PackageOptions& options, const json& package, Console& console) {
  if (options.connection.json) {
    PrintJson(console, package);
    return Exit::kOk;
  }
  const std::string completed = Text(package, "completed");
  const bool begun = package.contains("handed_out");
  PrintFields(console,
              {{"id", Text(package, "id")},
               {"client", Text(package, "client")},
               {"answers", Text(package, "request")},
               {"for", Text(package, "for")},
               {"names staff", Member(package, "names_staff") == true ? "yes" : ""},
               {"state", Text(package, "state")},
               {"prepared", Text(package, "prepared")},
               {"prepared by", Text(package, "prepared_by")},
               {"expires", Text(package, "expires")},
               {"revoked", Text(package, "revoked")},
               {"handed out", Text(package, "handed_out")},
               {"handed out by", Text(package, "handed_out_by")},
               {"completed",
                begun && completed.empty() ? "NO: it goes on, or was broken off" : completed}});
  const json& parts = Member(package, "parts");
  if (parts.empty()) return Exit::kOk;
  Table table({"PART", "MADE", "ENTRY", "SHA-256"});
  for (const json& part : parts) {
    table.Add({Text(part, "part"), Text(part, "made"), Text(part, "entry"), Text(part, "sha256")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> PreparePackage(const PackageOptions& options, Console& console) {
  json body = json::object();
  if (!options.request.empty()) body["request"] = options.request;
  if (!options.whom.empty()) body["for"] = options.whom;
  if (options.days) body["days"] = *options.days;
  if (options.names_staff) body["names_staff"] = true;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(
      const json package,
      client.Post(Target("/v1/clients").Segment(options.client).Segment("packages"), body.dump()));
  return ShowPackage(options, package, console);
}

Outcome<Exit> ListPackages(const PackageOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/packages");
  target.With("client", options.client).With("state", options.state);
  COFFER_ASSIGN(const json packages, CollectPages(client, target));
  if (options.connection.json) {
    PrintJson(console, {{"items", packages}});
    return Exit::kOk;
  }
  if (packages.empty()) {
    console.out << "No package is like that.\n";
    return Exit::kOk;
  }
  Table table({"PACKAGE", "CLIENT", "STATE", "PREPARED", "EXPIRES", "HANDED OUT"});
  for (const json& package : packages) {
    table.Add({Text(package, "id"), Text(package, "client"), Text(package, "state"),
               Text(package, "prepared"), Text(package, "expires"), Text(package, "handed_out")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowOnePackage(const PackageOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json package, client.Get(PackageTarget(options.package)));
  return ShowPackage(options, package, console);
}

Outcome<Exit> RevokePackage(const PackageOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json package,
                client.PostNothing(PackageTarget(options.package).Segment("revoke")));
  return ShowPackage(options, package, console);
}

Outcome<PackageProtection> ProtectionOf(const PackageOptions& options) {
  PackageProtection protection;
  if (!options.recipient.empty()) {
    COFFER_ASSIGN(protection.recipient, ReadInputFile(options.recipient, kMaxCertificate));
  } else if (!options.passphrase_file.empty()) {
    COFFER_ASSIGN(protection.passphrase,
                  ReadOrAsk(options.passphrase_file, {"Passphrase: ", "the passphrase", ""}));
  } else if (!options.open) {
    return Failed(Exit::kUsage, "the package would be open to whoever has the file",
                  "Give --passphrase-file FILE or --recipient CERT.pem; or --open, where it is "
                  "protected in another way.");
  }
  COFFER_TRY(CheckProtection(protection));
  return protection;
}

// A lost answer is asked for again: the hand-out is one as long as its key is the same.
Outcome<std::string> FetchPart(ApiClient& client, const std::string& id, std::uint64_t part,
                               const std::string& key) {
  for (int tried = 1;; ++tried) {
    HttpRequest request;
    request.method = "POST";
    request.target = PackageTarget(id).Segment("content").text();
    request.body = json{{"part", part}, {"key", key}}.dump();
    request.content_type = "application/json";
    auto reply = client.Send(std::move(request));
    if (reply) return std::move(reply->body);
    if (tried == kTries || !(reply.error().may_pass || reply.error().exit == Exit::kUnreachable)) {
      return std::unexpected(reply.error());
    }
    std::this_thread::sleep_for(std::chrono::seconds(tried));
  }
}

// The failure, and how the hand-out goes on. Of the first part it may not be known whether it
// began.
std::unexpected<Failure> BrokenOff(Failure failure, const PackageOptions& options,
                                   const std::string& key, bool begun) {
  if (begun || failure.may_pass || failure.exit == Exit::kUnreachable) {
    failure.advice =
        "Where the hand-out has begun, it is had again within the hour with\n  coffer "
        "package hand-out " +
        options.package + " --key " + key + " and the options from before.";
  }
  return std::unexpected(std::move(failure));
}

Outcome<Exit> HandOutPackage(const PackageOptions& options, Console& console) {
  // Nothing is handed out that could not be written, or protected.
  PackageMaterial material;
  material.contact = options.contact;
  for (const auto& name : options.languages) {
    material.languages.push_back(*audit::PageLanguageFromName(name));
  }
  COFFER_ASSIGN(const PackageProtection protection, ProtectionOf(options));
  COFFER_ASSIGN(const auto file, NewFile::Create(options.output));
  const std::string key = options.key.empty()
                              ? crypto::Base64UrlEncode(crypto::RandomBytes(kHandOutKeyBytes))
                              : options.key;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  // Whatever ends this, the package is handed out once, and to who has the key.
  console.err << "The hand-out can be gone on with for an hour with --key " << Printable(key)
              << std::endl;
  bool last = false;
  while (!last) {
    auto part = FetchPart(client, options.package, material.parts.size() + 1, key);
    if (!part) return BrokenOff(part.error(), options, key, !material.parts.empty());
    const json parsed = json::parse(*part, nullptr, false);
    if (!parsed.is_object()) {
      return BrokenOff(
          {Exit::kFailed, "The server's answer is no part of a package.", {}, false, {}}, options,
          key, true);
    }
    last = Member(parsed, "last") == true;
    material.parts.push_back(*std::move(part));
  }
  HttpRequest request;
  request.target = PackageTarget(options.package).Segment("receipt").text();
  auto receipt = client.Send(std::move(request));
  if (!receipt) return BrokenOff(receipt.error(), options, key, true);
  material.receipt = std::move(receipt->body);
  const auto files = PackageContentFiles(material);
  if (!files) return BrokenOff(files.error(), options, key, true);
  const auto archive = PackArchive(*files, protection);
  if (!archive) return BrokenOff(archive.error(), options, key, true);
  if (const auto written = file->Write(crypto::AsText(*archive)); !written) {
    return BrokenOff(written.error(), options, key, true);
  }
  if (const auto finished = file->Finish(); !finished) {
    return BrokenOff(finished.error(), options, key, true);
  }
  const bool is_protected = protection.passphrase || !protection.recipient.empty();
  if (options.connection.json) {
    PrintJson(console, {{"package", options.package},
                        {"parts", material.parts.size()},
                        {"files", files->size()},
                        {"encrypted", is_protected},
                        {"out", options.output}});
    return Exit::kOk;
  }
  console.out << "The package is in " << Printable(options.output) << ": " << Grouped(files->size())
              << " files, of which " << Grouped(material.parts.size())
              << " are the parts that the log has the hashes of.\n";
  if (protection.passphrase) {
    console.out << "It opens with the passphrase, in 7-Zip and the like. Give that another way.\n";
  } else if (is_protected) {
    console.out << "It opens with the recipient's key:\n  openssl cms -decrypt -binary -inform DER "
                   "-in FILE -inkey KEY.pem -out package.zip\n";
  } else {
    console.out << "It is NOT encrypted, and an erasure does not reach it.\n";
  }
  return Exit::kOk;
}

CLI::App* AddOnPackage(CLI::App& group, PackageOptions& options, const char* name,
                       const char* help) {
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("package", options.package, "Package id (pkg_...)")
      ->type_name("PACKAGE")
      ->required();
  return command;
}

void AddPrepare(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<PackageOptions>();
  CLI::App* command = group.add_subcommand("prepare", "Prepare a package for a client");
  command->add_option("client", options->client, "Client id (cli_...)")
      ->type_name("CLIENT")
      ->required();
  command->add_option("--request", options->request, "The request that it answers (req_...)")
      ->type_name("REQUEST");
  command
      ->add_option("--for", options->whom, "client or representative; without: as the request says")
      ->check(CLI::IsMember({"client", "representative"}));
  command->add_option("--days", options->days, "Until it expires, 1 to 90; without: 30")
      ->type_name("N")
      ->check(CLI::Range(1, 90));
  command->add_flag("--names-staff", options->names_staff,
                    "Tell who looked by id, with the entries as they are; takes a reason");
  command->footer(
      "Example:\n  coffer package prepare cli_... --request req_... --purpose "
      "data-subject-request");
  RunOnline(*command, chosen, options, PreparePackage, PurposeUse::kRequired);
}

void AddHandOut(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<PackageOptions>();
  CLI::App* command =
      AddOnPackage(group, *options, "hand-out", "Hand out a package, once, as an archive");
  command->add_option("--output", options->output, "New file")->type_name("FILE.zip")->required();
  options->languages = {"en"};
  command->add_option("--language", options->languages, "Of its pages; repeatable")
      ->check(CLI::IsMember(audit::PageLanguageNames()))
      ->capture_default_str();
  auto* passphrase = command
                         ->add_option("--passphrase-file", options->passphrase_file,
                                      "Encrypt under the first line of this file")
                         ->type_name("FILE");
  auto* recipient = command
                        ->add_option("--recipient", options->recipient,
                                     "Encrypt for the holder of this certificate")
                        ->type_name("CERT.pem")
                        ->excludes(passphrase);
  command->add_flag("--open", options->open, "Do not encrypt")
      ->excludes(passphrase)
      ->excludes(recipient);
  command->add_option("--contact", options->contact, "Who keeps the data, for the pages")
      ->type_name("TEXT");
  command->add_option("--key", options->key, "Go on with a hand-out that was broken off")
      ->type_name("KEY");
  command->footer(
      "Example:\n  coffer package hand-out pkg_... --purpose data-subject-request \\\n"
      "    --output package.zip --language de --passphrase-file passphrase");
  RunOnline(*command, chosen, options, HandOutPackage, PurposeUse::kRequired);
}

}  // namespace

void AddPackageCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("package", "All that is kept of a client, for the client");
  group->require_subcommand(1);
  AddPrepare(*group, chosen);
  {
    auto options = std::make_shared<PackageOptions>();
    CLI::App* command = group->add_subcommand("list", "List packages, the newest first");
    command->add_option("--client", options->client, "Of this client")->type_name("CLIENT");
    command->add_option("--state", options->state, "In this state")
        ->check(CLI::IsMember({"prepared", "handed_out", "expired", "revoked"}));
    command->footer("Example:\n  coffer package list --state prepared");
    RunOnline(*command, chosen, options, ListPackages);
  }
  {
    auto options = std::make_shared<PackageOptions>();
    CLI::App* command = AddOnPackage(*group, *options, "show", "Show a package, not what is in it");
    command->footer("Example:\n  coffer package show pkg_...");
    RunOnline(*command, chosen, options, ShowOnePackage);
  }
  AddHandOut(*group, chosen);
  auto options = std::make_shared<PackageOptions>();
  CLI::App* command = AddOnPackage(*group, *options, "revoke", "Revoke a package");
  command->footer("Example:\n  coffer package revoke pkg_... --purpose data-subject-request");
  RunOnline(*command, chosen, options, RevokePackage, PurposeUse::kRequired);
}

}  // namespace coffer::cli
