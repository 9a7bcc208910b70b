// coffer backup, coffer restore: copies made by the server, and what this machine does with them.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/log_query.h"
#include "api/cli/commands/backup_drill_command.h"
#include "api/cli/commands/backup_status_command.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/root_key.h"
#include "api/cli/files/s3_options.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "api/cli/verify/verification.h"
#include "audit/entries/succession.h"
#include "vault/backup/repository_report.h"
#include "vault/backup/restoration.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::chrono::hours kBackupPatience{12};

struct BackupOptions {
  ConnectionOptions connection;
  std::string name;
};

struct PruneOptions : BackupOptions {
  bool dry = false;
};

struct RepositoryOptions {
  ConnectionOptions connection;
  std::string path, destination;
  S3CommandOptions s3;
  std::vector<std::string> log_keys;
};

struct RestoreOptions {
  vault::RestoreRequest request;
  std::string from, keys_from;
  S3CommandOptions s3, keys_s3;
  std::string at;
  RootKeyOptions root_key, later_root_key;
  bool json = false;
};

Target Destinations() { return Target("/v1/backup/destinations"); }

Outcome<Exit> Initialize(const BackupOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json made,
                client.Post(Destinations().Segment(options.name).Segment("initialize"), {}));
  if (options.connection.json) {
    PrintJson(console, made);
  } else {
    console.out << "The destination " << Printable(Text(made, "name")) << " has its repository in "
                << Printable(Text(made, "directory")) << ".\n";
  }
  return Exit::kOk;
}

Outcome<Exit> List(const BackupOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Get(Destinations()));
  bool usable = true;
  for (const json& one : Member(answer, "items")) usable = usable && !one.contains("problem");
  const Exit exit = usable ? Exit::kOk : Exit::kFailed;
  if (options.connection.json) {
    PrintJson(console, answer);
    return exit;
  }
  if (Member(answer, "items").empty()) {
    console.out << "The configuration has no destination for backups.\n";
    return Exit::kOk;
  }
  Table table(
      {"DESTINATION", "KIND", "GENERATIONS", "NEWEST", "MADE", "COMPLETE UNTIL", "PROBLEM"});
  for (const json& one : Member(answer, "items")) {
    table.Add({Text(one, "name"), Text(one, "kind"), Text(one, "generations"), Text(one, "newest"),
               Text(one, "newest_created"), Text(one, "until"), Text(one, "problem")});
  }
  table.Print(console);
  return exit;
}

Outcome<Exit> MakeBackup(const BackupOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json run, client.Post(Target("/v1/backup/runs"), {}, kBackupPatience));
  const bool complete = Member(run, "complete") == true;
  if (options.connection.json) {
    PrintJson(console, run);
  } else {
    Table table({"DESTINATION", "KIND", "PAGES", "NEW", "BYTES STORED", "REMOVED", "RETAINED",
                 "UNTIL", "PROBLEM"});
    for (const json& one : Member(run, "destinations")) {
      table.Add({Text(one, "name"), Text(one, "kind"), Text(one, "pages"),
                 Text(one, "pages_stored"), Text(one, "bytes_stored"),
                 Text(one, "generations_removed"), Text(one, "generations_retained"),
                 Text(one, "retained_until"), Text(one, "problem")});
    }
    table.Print(console);
    if (run.contains("generation")) {
      console.out << (complete ? "Generation " : "Incomplete: generation ")
                  << Printable(Text(run, "generation")) << ", as of entry "
                  << Printable(Text(run, "log_size")) << " of the log.\n";
    } else {
      console.out << "NOTHING: no destination could be written to.\n";
    }
  }
  return complete ? Exit::kOk : Exit::kFailed;
}

Outcome<Exit> PruneDestinations(const PruneOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  json body = {{"dry_run", options.dry}};
  if (!options.name.empty()) body["destination"] = options.name;
  COFFER_ASSIGN(const json answer,
                client.Post(Target("/v1/backup/prunes"), body.dump(), kBackupPatience));
  bool complete = true;
  for (const json& one : Member(answer, "items")) complete = complete && !one.contains("problem");
  const Exit exit = complete ? Exit::kOk : Exit::kFailed;
  if (options.connection.json) {
    PrintJson(console, answer);
    return exit;
  }
  Table table({"DESTINATION", "KIND", "GENERATION", options.dry ? "WOULD" : "NOW", "PROBLEM"});
  for (const json& one : Member(answer, "items")) {
    const std::string name = Text(one, "name"), kind = Text(one, "kind");
    if (one.contains("problem")) table.Add({name, kind, "", "", Text(one, "problem")});
    for (const auto& [member, word] : {std::pair("kept", options.dry ? "stay" : "stays"),
                                       std::pair("removed", options.dry ? "go" : "gone")}) {
      for (const auto& generation : TextList(one, member)) {
        table.Add({name, kind, generation, word, ""});
      }
    }
  }
  table.Print(console);
  return exit;
}

Outcome<Exit> VerifyAtServer(const RepositoryOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json done,
                client.Post(Destinations().Segment(options.destination).Segment("verify"), {},
                            kBackupPatience));
  const bool whole = done.contains("verified");
  if (options.connection.json) {
    PrintJson(console, done);
  } else {
    for (const auto& finding : TextList(done, "findings")) {
      console.out << Printable(finding) << '\n';
    }
    console.out << (whole ? "OK: the server read every object of "
                          : "DAMAGED: not every generation is whole in ")
                << Printable(Text(done, "name")) << " (" << TextList(done, "generations").size()
                << " whole, " << Grouped(Number(done, "bytes_read").value_or(0))
                << " bytes read).\n";
  }
  return whole ? Exit::kOk : Exit::kDamaged;
}

Outcome<Exit> VerifyCopies(const RepositoryOptions& options, Console& console) {
  if (!options.destination.empty()) return VerifyAtServer(options, console);
  if (options.path.empty()) {
    return Failed(Exit::kUsage, "nothing to verify was named",
                  "Name the directory of a repository, or a destination with --destination.");
  }
  std::vector<audit::VerifierKey> trusted;
  for (const std::string& key : options.log_keys) {
    COFFER_ASSIGN(const audit::VerifierKey parsed, ParseLogKey(key));
    for (auto& named : audit::UnderAllNames(parsed)) trusted.push_back(std::move(named));
  }
  const auto report = vault::VerifyRepository(options.s3.PlaceOf(options.path), trusted);
  if (!report) {
    return std::unexpected(FailureOf(report.error(), "the repository was not verified"));
  }
  const bool nothing = report->generations.empty() && report->findings.empty();
  if (options.connection.json) {
    PrintJson(console, {{"ok", report->findings.empty() && !nothing},
                        {"vault", report->vault},
                        {"kind", Name(report->kind)},
                        {"signatures_checked", !trusted.empty()},
                        {"generations", report->generations},
                        {"increments", report->increments},
                        {"bytes_read", report->bytes},
                        {"findings", report->findings}});
  } else {
    for (const auto& finding : report->findings) console.out << Printable(finding) << '\n';
    console.out << (nothing                    ? "NOTHING: there is no generation"
                    : report->findings.empty() ? "OK: every object is what its name says"
                                               : "DAMAGED: not every generation is whole")
                << " (" << Name(report->kind) << " of " << Printable(report->vault) << ", "
                << report->generations.size() << " whole"
                << (report->generations.empty() ? "" : ", the newest ")
                << (report->generations.empty() ? "" : report->generations.back()) << ", "
                << report->increments << " increments, " << Grouped(report->bytes)
                << " bytes read).\n";
    if (trusted.empty()) {
      console.out
          << "Whose they are was not checked: give the log's verifier key with --log-key.\n";
    }
  }
  return report->findings.empty() && !nothing ? Exit::kOk : Exit::kDamaged;
}

Outcome<Exit> Restore(const RestoreOptions& options, Console& console) {
  // What the tool says of a root key is better than the vault's word for it.
  std::optional<Failure> no_root, no_file;
  const auto opens = [&](const RootKeyOptions& by) -> vault::OpenRootKeyFor {
    return [&](const std::string& directory) -> Result<std::unique_ptr<crypto::RootKeyProvider>> {
      auto root = OpenRootKey(by, directory);
      if (root) return *std::move(root);
      no_root = std::move(root).error();
      if (!by.key_file.empty()) no_file = no_root;
      return Fail(Code::kUnauthenticated, "root_key_missing");
    };
  };
  vault::RestoreRequest request = options.request;
  request.data_repository = options.s3.PlaceOf(options.from);
  request.keys_repository = options.keys_s3.PlaceOf(options.keys_from);
  if (!options.at.empty()) {
    COFFER_ASSIGN(const std::string at, NormalisedTime(options.at, "--at"));
    request.at = *audit::ParseTimestamp(at);
  }
  const auto restored = vault::RestoreVault(
      request, opens(options.root_key),
      options.later_root_key.Named() ? opens(options.later_root_key) : vault::OpenRootKeyFor());
  if (!restored) {
    // One of two that cannot be read would only show in what is not known without it.
    if (no_file) return std::unexpected(*std::move(no_file));
    if (no_root && restored.error().reason == "root_key_missing") {
      return std::unexpected(*std::move(no_root));
    }
    return std::unexpected(FailureOf(restored.error(), "nothing was restored"));
  }
  if (options.json) {
    PrintJson(console, {{"generation", restored->generation},
                        {"increments", restored->increments},
                        {"keys_generation", restored->keys_generation},
                        {"keyring_generation", restored->keyring_generation},
                        {"keyring_joined", restored->keyring_joined},
                        {"ledger_generation", restored->ledger_generation},
                        {"created", audit::FormatTimestamp(restored->created)},
                        {"log_size", restored->log_size},
                        {"keys_later", restored->keys_later},
                        {"by_later_root_key", restored->by_later_root},
                        {"directory", options.request.directory}});
    return Exit::kOk;
  }
  console.out << "Restored generation " << restored->generation;
  if (restored->increments > 0) {
    console.out << " with " << Grouped(restored->increments) << " increments";
  }
  console.out << " as of " << audit::FormatTimestamp(restored->created) << " into "
              << Printable(options.request.directory) << ".\nIts log has "
              << Grouped(restored->log_size)
              << " entries. What was acknowledged behind them is not in this copy.\n";
  if (restored->keys_later) {
    console.out
        << "Its keys are kept no longer. Those of " << restored->keys_generation
        << " are used: who was erased in between cannot be read, and until the first start, which\n"
           "repeats those erasures, a deep verification finds that their keys are missing.\n";
  }
  if (!restored->keyring_joined.empty()) {
    console.out << "Keys were exchanged since. keyring.json is that of "
                << restored->keyring_generation << ", with the keys of " << restored->keyring_joined
                << " beside its own:\nthe first start goes on as in an exchange.\n";
  } else if (restored->keyring_generation != restored->generation) {
    console.out << "A key was exchanged since. keyring.json is that of "
                << restored->keyring_generation << ", which has the keys of both.\n";
  }
  if (options.later_root_key.Named()) {
    console.out << (restored->by_later_root
                        ? "It opens by the later root key, which is the one to give from here on.\n"
                        : "The later root key opened nothing of it: it opens by the other one.\n");
  }
  console.out
      << "Erasures are repeated, and acts that protect are in force again, from the ledger of "
      << restored->ledger_generation
      << ";\nput a newer one in its place, where you have one. Next: coffer verify --deep --data "
      << Printable(options.request.directory)
      << ", with its root key.\nIt is a copy, and no server starts on it. Where the vault itself "
         "is lost, coffer recover --data makes\nit the vault.\n";
  return Exit::kOk;
}

void AddInitialize(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App* command = group.add_subcommand("init", "Make the repository of a destination, once");
  command->add_option("name", options->name, "A destination of the configuration")
      ->type_name("NAME")
      ->required();
  command->footer("Example:\n  coffer backup init disk");
  RunOnline(*command, chosen, options, Initialize);
}

void AddVerifyCopies(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<RepositoryOptions>();
  CLI::App* command = group.add_subcommand("verify", "Read a repository back, every byte");
  CLI::Option* const path =
      command
          ->add_option("repository", options->path,
                       "Its directory, or the https:// address of bucket and prefix, read by this "
                       "machine")
          ->type_name("DIR");
  AddS3Options(*command, "--s3", options->s3);
  command
      ->add_option("--destination", options->destination,
                   "A destination of the configuration, read by the server, which keeps the time")
      ->type_name("NAME")
      ->excludes(path);
  command
      ->add_option("--log-key", options->log_keys,
                   "With DIR: a verifier key of the log, that of today or an earlier one; "
                   "repeatable")
      ->type_name("KEY")
      ->needs(path);
  command->footer(
      "Exit code 0: all is whole; 4: something is damaged, or there is nothing. Example:\n"
      "  coffer backup verify /mnt/backup/coffer --log-key KEY\n"
      "  coffer backup verify --destination disk");
  RunOnline(*command, chosen, options, VerifyCopies);
}

}  // namespace

void AddBackupCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("backup", "Make backups while the vault serves");
  group->require_subcommand(1);
  AddInitialize(*group, chosen);
  {
    auto options = std::make_shared<BackupOptions>();
    CLI::App* command = group->add_subcommand("run", "Make a backup now, in every destination");
    command->footer(
        "Exit code 0: every destination has its copy; 1: one has not. Example:\n"
        "  coffer backup run");
    RunOnline(*command, chosen, options, MakeBackup);
  }
  {
    auto options = std::make_shared<BackupOptions>();
    CLI::App* command = group->add_subcommand("list", "Show the destinations and what they have");
    command->footer(
        "Exit code 0: each can be used; 1: one cannot. Example:\n"
        "  coffer backup list");
    RunOnline(*command, chosen, options, List);
  }
  {
    auto options = std::make_shared<PruneOptions>();
    CLI::App* command =
        group->add_subcommand("prune", "Remove what destinations do not keep any longer");
    command
        ->add_option("name", options->name, "A destination of the configuration; none: all of them")
        ->type_name("NAME");
    command->add_flag("--dry-run", options->dry, "Say what would go, and change nothing");
    command->footer(
        "Each backup does it too. Exit code 0: done; 1: a destination has a problem. Example:\n"
        "  coffer backup prune --dry-run");
    RunOnline(*command, chosen, options, PruneDestinations);
  }
  AddVerifyCopies(*group, chosen);
  AddBackupStatus(*group, chosen);
  AddBackupDrill(*group, chosen);
}

void AddRestoreCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<RestoreOptions>();
  CLI::App* command = app.add_subcommand("restore", "Make a data directory from a backup");
  command
      ->add_option("--from", options->from,
                   "The repository that has the data: a directory, or an https:// address")
      ->type_name("DIR")
      ->required();
  command->add_option("--keys-from", options->keys_from, "The repository that has the keys")
      ->type_name("DIR")
      ->required();
  CLI::Option* const generation = command
                                      ->add_option("--generation", options->request.generation,
                                                   "This one, without what came behind it")
                                      ->type_name("ID");
  command->add_option("--at", options->at, "The newest moment that is not later than this")
      ->type_name("TIME")
      ->excludes(generation);
  command
      ->add_option("--data", options->request.directory,
                   "The directory to make; empty, where it is there")
      ->type_name("DIR")
      ->required();
  AddS3Options(*command, "--s3", options->s3);
  AddS3Options(*command, "--keys-s3", options->keys_s3);
  AddRootKeyOptions(*command, options->root_key, "The vault's root key file");
  AddLaterRootKeyOptions(*command, options->later_root_key);
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Example:\n"
      "  coffer restore --from /mnt/backup/coffer --keys-from /mnt/keys/coffer \\\n"
      "      --data /var/lib/coffer/vault --root-key-file root.key");
  RunWith(*command, chosen, options, Restore);
}

}  // namespace coffer::cli
