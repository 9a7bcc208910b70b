// coffer key: which keys a vault has, and the exchange of its root key.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <system_error>

#include "api/cli/commands/commands.h"
#include "api/cli/commands/key_exchange_commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/root_key.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "crypto/keyring.h"
#include "vault/base/file_account.h"
#include "vault/key_exchange.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct KeyStatusOptions {
  ConnectionOptions connection;
  std::string directory;
  RootKeyOptions root_key;
};

struct RootExchangeOptions : KeyOptions {
  RootKeyOptions next;
  bool passphrase = false;
};

// As the server's answer has it.
json JsonOf(const vault::KeyOverview& overview) {
  json root = {{"kind", overview.root_kind}};
  if (overview.root_since) root["since"] = audit::FormatTimestamp(*overview.root_since);
  json result = {{"root", std::move(root)}, {"keys", json::array()}};
  for (const auto& key : overview.keys) {
    json one = {{"name", key.name}, {"versions", key.versions}};
    if (key.oldest_retiring) one["retiring"] = key.versions.front();
    result["keys"].push_back(std::move(one));
  }
  if (overview.clients) {
    json clients = {{"phase", Name(overview.clients->phase)},
                    {"total", overview.clients->total},
                    {"under", json::array()}};
    if (overview.clients->since) {
      clients["since"] = audit::FormatTimestamp(*overview.clients->since);
    }
    for (const auto& under : overview.clients->under) {
      clients["under"].push_back(
          {{"version", under.version}, {"keys", under.keys}, {"held", under.held}});
    }
    result["clients"] = std::move(clients);
  }
  if (overview.database) {
    json database = {{"phase", Name(overview.database->phase)},
                     {"pages", overview.database->pages},
                     {"copied", overview.database->copied}};
    if (overview.database->since) {
      database["since"] = audit::FormatTimestamp(*overview.database->since);
    }
    result["database"] = std::move(database);
  }
  if (overview.keys_database_key) {
    result["keys_database"] = {{"version", *overview.keys_database_key}};
  }
  if (overview.index_generation) {
    result["search_index"] = {{"generation", *overview.index_generation}};
  }
  return result;
}

std::string VersionsOf(const json& key) {
  std::string text;
  for (const std::string& version : TextList(key, "versions")) {
    text += (text.empty() ? "" : ", ") + version;
  }
  return text;
}

std::string Phase(const std::string& phase) {
  if (phase == "wrapping") return "an exchange is under way: the server wraps the others";
  if (phase == "wrapped") return "wrapped: coffer key finish clients destroys the older version";
  return {};
}

std::string StateOfDatabases(const json& database) {
  const std::string phase = Text(database, "phase");
  if (phase == "written") {
    return "written: coffer key finish database destroys the older version";
  }
  if (phase != "writing") return {};
  const auto pages = Number(database, "pages").value_or(0);
  if (pages == 0) return "an exchange is under way: the server writes the databases anew";
  return Grouped(Number(database, "copied").value_or(0)) + " of " + Grouped(pages) +
         " pages of vault.db are copied";
}

// What is known of it beside its versions, where it is looked at.
const json& UseOf(const json& status, std::string_view name) {
  static const json kNothing;
  if (name == "client-kek") return Member(status, "clients");
  if (name == "vault-db" || name == "keys-db") return Member(status, "database");
  return kNothing;
}

// What people are told of each key that has more to it than its version.
std::string StateOf(const json& status, const json& key) {
  const std::string name = Text(key, "name");
  if (const std::string retiring = Text(key, "retiring"); !retiring.empty()) {
    return "version " + retiring +
           " is retired: coffer key finish log destroys it, or the next start";
  }
  if (name == "log-signing" && TextList(key, "versions").size() > 1) {
    return "both sign; coffer key finish log destroys the older version";
  }
  const json& use = UseOf(status, name);
  if (!use.is_object()) {
    return TextList(key, "versions").size() > 1 ? "an exchange is under way" : "";
  }
  return name == "client-kek" ? Phase(Text(use, "phase")) : StateOfDatabases(use);
}

void PrintKeys(const json& status, Console& console) {
  Table table({"KEY", "VERSIONS", "SINCE", "STATE"});
  const json& root = Member(status, "root");
  table.Add({"root key", Text(root, "kind"), Text(root, "since"), ""});
  const json& clients = Member(status, "clients");
  const json& keys = Member(status, "keys");
  if (keys.is_array()) {
    for (const json& key : keys) {
      const std::string name = Text(key, "name");
      const json& use = UseOf(status, name);
      table.Add(
          {name, VersionsOf(key), use.is_object() ? Text(use, "since") : "", StateOf(status, key)});
    }
  }
  if (const std::string version = Text(Member(status, "keys_database"), "version");
      !version.empty()) {
    table.Add({"keys.db", version, "", ""});
  }
  if (const std::string generation = Text(Member(status, "search_index"), "generation");
      !generation.empty()) {
    table.Add({"search index", generation, "", ""});
  }
  table.Print(console);
  const json& under = Member(clients, "under");
  if (!under.is_array()) return;
  for (const json& one : under) {
    const bool held = Member(one, "held") == true;
    console.out << Grouped(Number(one, "keys").value_or(0)) << " of "
                << Grouped(Number(clients, "total").value_or(0))
                << " clients' keys are under version " << Printable(Text(one, "version"))
                << (held ? "" : ", WHICH THE KEYRING DOES NOT HAVE: they cannot be read") << ".\n";
  }
}

Outcome<json> KeysOfDirectory(const KeyStatusOptions& options) {
  // Without a root key what keyring.json says in clear; nobody is asked for a passphrase.
  std::unique_ptr<crypto::RootKeyProvider> root;
  if (options.root_key.Named()) {
    COFFER_ASSIGN(root, OpenRootKey(options.root_key, options.directory));
  }
  // To look into a database leaves files beside it, which must not be root's.
  std::optional<vault::ActingAs> acting;
  if (root) {
    COFFER_ASSIGN(auto begun, ActForVault(options.directory, "the keys cannot be read"));
    acting.emplace(std::move(begun));
  }
  const auto overview = vault::ReadKeys(options.directory, root.get());
  if (!overview) return std::unexpected(FailureOf(overview.error(), "the keys cannot be read"));
  return JsonOf(*overview);
}

Outcome<json> KeysOfServer(const KeyStatusOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  return client.Get(Target("/v1/keys"));
}

Outcome<Exit> ShowKeys(const KeyStatusOptions& options, Console& console) {
  COFFER_ASSIGN(const json status, options.directory.empty() ? KeysOfServer(options, console)
                                                             : KeysOfDirectory(options));
  if (options.connection.json) {
    PrintJson(console, status);
  } else {
    PrintKeys(status, console);
  }
  return Exit::kOk;
}

bool SameFile(const std::string& one, const std::string& other) {
  std::error_code ignored;
  return !one.empty() && !other.empty() && std::filesystem::equivalent(one, other, ignored);
}

// Beside what it opens, in a place that others may read: vault::Repository makes that file.
bool LiesInBackup(const std::filesystem::path& file) {
  std::error_code ignored;
  for (auto at = file.parent_path(); !at.empty(); at = at.parent_path()) {
    if (std::filesystem::is_regular_file(at / "coffer-backup", ignored)) return true;
    if (at == at.parent_path()) return false;
  }
  return false;
}

Outcome<void> CheckNextRoot(const RootExchangeOptions& options) {
  const auto& next = options.next;
  if (!next.Named() && !options.passphrase) {
    return Failed(
        Exit::kUsage, "the new root key is not named",
        "Give --new-root-key-file FILE, --new-passphrase-file FILE, --new-root-key URI, or "
        "--new-passphrase to be asked for one.");
  }
  if (!next.recovery_file.empty() && next.token_uri.empty()) {
    return Failed(Exit::kUsage, "a recovery passphrase stands beside a root key in a token",
                  "Give --new-root-key URI too.");
  }
  if (SameFile(options.root_key.key_file, next.key_file) ||
      SameFile(options.root_key.passphrase_file, next.passphrase_file)) {
    return Failed(Exit::kUsage, "the new root key is the old one", "Name another file.");
  }
  std::error_code ignored;
  const auto directory = std::filesystem::weakly_canonical(
      std::filesystem::absolute(options.directory, ignored), ignored);
  const auto file =
      std::filesystem::weakly_canonical(std::filesystem::absolute(next.key_file, ignored), ignored);
  const auto within = file.lexically_relative(directory);
  if (!next.key_file.empty() && !within.empty() && *within.begin() != "..") {
    return Failed(Exit::kUsage, "the root key would lie inside the data directory",
                  "Keep it elsewhere: whoever gets a copy of the data would get the key with it.");
  }
  if (!next.key_file.empty() && LiesInBackup(file)) {
    return Failed(Exit::kUsage, "the root key would lie in a repository of backups",
                  "Keep it elsewhere: whoever gets the copies would get the key with them.");
  }
  return {};
}

// A passphrase that is the old one again derives another key, and is no other secret.
Outcome<void> CheckOtherPassphrase(const RootExchangeOptions& options, const NewRootKey& next) {
  const auto header = crypto::Keyring::ReadHeader(KeyringFile(options.directory));
  if (!header || header->root_kind != "passphrase" || !next.again) return {};
  COFFER_ASSIGN(const auto same, next.again(header->passphrase));
  if (!crypto::Keyring::Open(KeyringFile(options.directory), *same)) return {};
  return Failed(Exit::kFailed, "the new passphrase is the old one", "Choose another.");
}

void TellRootExchanged(const RootExchangeOptions& options, Console& console) {
  const bool file = !options.next.key_file.empty();
  console.out
      << "The root key is exchanged: keyring.json opens by the new one, and not by the old one; "
         "both were tried.\n"
         "A server that runs goes on. Before its next start:\n"
      << (file ? "  1. name " + Printable(options.next.key_file) +
                     " in its configuration or unit, and keep a copy of it elsewhere\n"
          : options.next.token_uri.empty()
              ? std::string("  1. put the new passphrase where its configuration says\n")
              : "  1. put the token's URI into its configuration, as vault.root_key" +
                    std::string(options.next.recovery_file.empty()
                                    ? "\n"
                                    : "; lock the recovery passphrase away\n"))
      << "  2. cofferd --check\n"
         "Copies of keyring.json from before still open by the old root key, in backups too: keep "
         "it as long as you keep\nthose, and remove them where it was stolen. Make a backup now "
         "(coffer backup run): the newest one has the old keyring.\n";
}

Outcome<Exit> RotateRoot(const RootExchangeOptions& options, Console& console) {
  COFFER_TRY(CheckNextRoot(options));
  COFFER_ASSIGN(const auto root, OpenRootKey(options.root_key, options.directory));
  // Before another key is made for a vault that does not open by this one.
  if (const auto opened = crypto::Keyring::Open(KeyringFile(options.directory), *root); !opened) {
    return std::unexpected(FailureOf(opened.error(), kKeysAsTheyWere));
  }
  COFFER_ASSIGN(const NewRootKey next, MakeRootKey(options.next));
  const auto undo = [&](Failure failure) {
    if (next.made_key_file) unlink(options.next.key_file.c_str());
    return std::unexpected(std::move(failure));
  };
  if (auto other = CheckOtherPassphrase(options, next); !other) return undo(other.error());
  {
    auto acting = ActForVault(options.directory);
    if (!acting) return undo(acting.error());
    const Status done =
        vault::ExchangeRootKey(options.directory, *root, *next.provider, next.parameters);
    // Of one that was written, or may have been, both keys are kept.
    const bool maybe_written = !done && (done.error().reason == "file_not_written" ||
                                         done.error().reason == "file_not_removed" ||
                                         done.error().reason == "root_key_unusable");
    if (!done && maybe_written) {
      return std::unexpected(
          FailureOf(done.error(),
                    "keep both root keys, and see which one opens the vault (coffer key "
                    "status --data DIR --root-key-file FILE)"));
    }
    if (!done) {
      auto failure = FailureOf(done.error(), kKeysAsTheyWere);
      {
        const auto left = std::move(*acting);
      }
      return undo(std::move(failure));
    }
  }
  if (options.json) {
    PrintJson(console, {{"root", {{"kind", next.provider->kind()}}}});
  } else {
    TellRootExchanged(options, console);
  }
  return Exit::kOk;
}

void AddKeyStatus(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<KeyStatusOptions>();
  CLI::App* command =
      group.add_subcommand("status", "Show which keys the vault has, and how far an exchange is");
  command
      ->add_option("--data", options->directory,
                   "A data directory, rather than a server; counts need its root key")
      ->type_name("DIR");
  AddRootKeyOptions(*command, options->root_key, "With --data: the vault's root key file");
  command->footer(
      "Examples:\n"
      "  coffer key status\n"
      "  coffer key status --data /var/lib/coffer --root-key-file root.key");
  RunOnline(*command, chosen, options, ShowKeys);
}

void AddRotateRoot(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<RootExchangeOptions>();
  CLI::App* command =
      group.add_subcommand("root", "Wrap the vault's keys by another root key, at once");
  AddDirectory(*command, *options);
  auto* file = command->add_option("--new-root-key-file", options->next.key_file,
                                   "The new root key file; made when it does not exist. Keep it "
                                   "outside the data directory");
  file->type_name("FILE");
  auto* passphrase_file =
      command->add_option("--new-passphrase-file", options->next.passphrase_file,
                          "File whose first line is the new passphrase");
  passphrase_file->type_name("FILE")->excludes(file);
  auto* token = command
                    ->add_option("--new-root-key", options->next.token_uri,
                                 "Key in a PKCS#11 token, by its URI; made where there is none")
                    ->type_name("URI")
                    ->excludes(file)
                    ->excludes(passphrase_file);
  command
      ->add_option("--new-recovery-passphrase-file", options->next.recovery_file,
                   "File of a passphrase that opens the vault where the token is lost")
      ->type_name("FILE")
      ->needs(token);
  command->add_flag("--new-passphrase", options->passphrase, "Ask for a new passphrase")
      ->excludes(file)
      ->excludes(passphrase_file)
      ->excludes(token);
  command->footer(
      "Run it as root: it reads the root key, and writes as the account that has the vault. "
      "Example:\n"
      "  coffer key rotate root --data /var/lib/coffer --root-key-file root.key \\\n"
      "      --new-root-key-file next.key");
  RunWith(*command, chosen, options, RotateRoot);
}

}  // namespace

Outcome<vault::ActingAs> ActForVault(const std::string& directory, std::string_view otherwise) {
  const auto account = vault::AccountOfVault(directory);
  if (!account) return std::unexpected(FailureOf(account.error(), otherwise));
  auto acting = vault::ActingAs::Begin(*account);
  if (!acting) return std::unexpected(FailureOf(acting.error(), otherwise));
  return *std::move(acting);
}

void AddDirectory(CLI::App& command, KeyOptions& options) {
  command
      .add_option("--data", options.directory,
                  "The vault's data directory; a server may have it meanwhile")
      ->type_name("DIR")
      ->required();
  AddRootKeyOptions(command, options.root_key, "The vault's root key file");
  command.add_flag("--json", options.json, "Print JSON");
}

void AddKeyCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("key", "Show and exchange the vault's keys");
  group->require_subcommand(1);
  AddKeyStatus(*group, chosen);
  CLI::App* rotate = group->add_subcommand("rotate", "Exchange a key while the vault serves");
  rotate->require_subcommand(1);
  AddRotateRoot(*rotate, chosen);
  CLI::App* finish =
      group->add_subcommand("finish", "Destroy a key that nothing is encrypted under any more");
  finish->require_subcommand(1);
  AddKeyExchanges(*rotate, *finish, chosen);
}

}  // namespace coffer::cli
