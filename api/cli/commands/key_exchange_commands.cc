// coffer key rotate and finish, of the keys that a server exchanges while it serves.
#include "api/cli/commands/key_exchange_commands.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "vault/key_exchange.h"
#include "vault/log_key_rotation.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// So long a server may take to do its part.
constexpr std::chrono::seconds kPatienceWithServer{30};

Outcome<vault::KeyExchangeBegun> BeginExchange(const KeyOptions& options, Console& console,
                                               crypto::KeysInUse which) {
  COFFER_ASSIGN(const auto root, OpenRootKey(options.root_key, options.directory));
  COFFER_ASSIGN(const auto acting, ActForVault(options.directory));
  const auto begun = vault::BeginKeyExchange(options.directory, *root, which);
  if (!begun) return std::unexpected(FailureOf(begun.error(), kKeysAsTheyWere));
  if (options.json) {
    PrintJson(console, {{"version", begun->version},
                        {"begun", begun->begun},
                        {"handed_to_server", begun->served}});
  }
  return *begun;
}

Outcome<Exit> RotateDatabase(const KeyOptions& options, Console& console) {
  COFFER_ASSIGN(const auto begun, BeginExchange(options, console, crypto::KeysInUse::kDatabases));
  if (options.json) return Exit::kOk;
  console.out << (begun.begun ? "The exchange is begun: version "
                              : "It was begun already: version ")
              << begun.version << " of vault-db and keys-db is in keyring.json.\n"
              << (begun.served
                      ? "The server that runs takes it up within seconds, and writes vault.db and "
                        "keys.db anew under it,\nbeside them: vault.db takes its own size once "
                        "more of the disk meanwhile.\n"
                      : "The server writes vault.db and keys.db anew under it when it is "
                        "started.\n")
              << "How far it is: coffer key status. When both are written, destroy the older "
                 "version: coffer key finish database\n"
                 "(the next start does it too). Backups from before open by their own "
                 "keyring.json, which keeps it.\n";
  return Exit::kOk;
}

Outcome<Exit> FinishDatabase(const KeyOptions& options, Console& console) {
  COFFER_ASSIGN(const auto root, OpenRootKey(options.root_key, options.directory));
  COFFER_ASSIGN(const auto acting, ActForVault(options.directory));
  const auto version = vault::FinishDatabaseKeyExchange(options.directory, *root);
  if (!version) return std::unexpected(FailureOf(version.error(), kKeysAsTheyWere));
  if (options.json) {
    PrintJson(console, {{"version", *version}});
    return Exit::kOk;
  }
  console.out << "The older vault-db and keys-db are destroyed: vault.db and keys.db are under "
                 "version "
              << *version << ", which is the only one in keyring.json.\n";
  return Exit::kOk;
}

Outcome<Exit> RotateClients(const KeyOptions& options, Console& console) {
  COFFER_ASSIGN(const auto begun, BeginExchange(options, console, crypto::KeysInUse::kClients));
  if (options.json) return Exit::kOk;
  console.out << (begun.begun ? "The exchange is begun: version "
                              : "It was begun already: version ")
              << begun.version << " of client-kek is in keyring.json.\n"
              << (begun.served
                      ? "The server that runs takes it up within seconds, and wraps all clients' "
                        "keys under it.\n"
                      : "The server wraps all clients' keys under it when it is started.\n")
              << "How far it is: coffer key status. When all are, destroy the older version: "
                 "coffer key finish clients\n"
                 "(the next start does it too). Copies of keyring.json from before keep it.\n";
  return Exit::kOk;
}

Outcome<Exit> FinishClients(const KeyOptions& options, Console& console) {
  COFFER_ASSIGN(const auto root, OpenRootKey(options.root_key, options.directory));
  COFFER_ASSIGN(const auto acting, ActForVault(options.directory));
  const auto done = vault::FinishClientKekExchange(options.directory, *root);
  if (!done) return std::unexpected(FailureOf(done.error(), kKeysAsTheyWere));
  if (options.json) {
    PrintJson(console,
              {{"version", done->version}, {"keys", done->keys}, {"damaged", done->damaged}});
    return Exit::kOk;
  }
  console.out << "The older client-kek is destroyed: " << Grouped(done->keys)
              << " clients' keys are wrapped under version " << done->version
              << ", which is the only one in keyring.json.\n";
  if (done->damaged > 0) {
    console.out << Grouped(done->damaged)
                << " keys of clients open under no version, before as now: these are damaged.\n";
  }
  return Exit::kOk;
}

Outcome<Exit> RotateIndex(const KeyOptions& options, Console& console) {
  COFFER_ASSIGN(const auto root, OpenRootKey(options.root_key, options.directory));
  COFFER_ASSIGN(const auto acting, ActForVault(options.directory));
  const auto asked = vault::AskForIndexExchange(options.directory, *root);
  if (!asked) return std::unexpected(FailureOf(asked.error(), kKeysAsTheyWere));
  if (options.json) {
    PrintJson(console, {{"generation", asked->generation}, {"handed_to_server", asked->served}});
    return Exit::kOk;
  }
  console.out << "The search index is to be made anew under another key than that of generation "
              << asked->generation << ".\n"
              << (asked->served
                      ? "The server that runs begins within seconds, and destroys the older key "
                        "when it is through;\nsearches find the same meanwhile.\n"
                      : "The server does so when it is started.\n")
              << "Which generation is in use: coffer key status. There is nothing to finish.\n";
  return Exit::kOk;
}

struct LogKeyOptions : KeyOptions {
  std::string anchor, ledger;
};

Outcome<Exit> StepLogKey(const LogKeyOptions& options, vault::LogKeyStep step, Console& console) {
  constexpr std::string_view kLogKeyAsItWas = "the log's key is as it was";
  COFFER_ASSIGN(const auto root, OpenRootKey(options.root_key, options.directory));
  vault::VaultOptions opening;
  opening.directory = options.directory;
  opening.anchor_path = options.anchor;
  opening.ledger_path = options.ledger;
  opening.require_locked_memory = false;  // for a moment, and without requests
  opening.scrub_entries_per_s = 0;
  COFFER_ASSIGN(const auto acting, ActForVault(options.directory, kLogKeyAsItWas));
  const auto done = vault::RotateLogKey(opening, *root, step, kPatienceWithServer);
  if (!done) {
    const bool changed = done.error().reason == "log_key_changed";
    const bool waits = done.error().reason == "rotation_unfinished";
    return std::unexpected(FailureOf(
        done.error(), changed ? "the exchange is not finished; the same again finishes it, or the "
                                "next start of the vault"
                      : waits ? "both keys are still there"
                              : kLogKeyAsItWas));
  }
  const auto header = crypto::Keyring::ReadHeader(KeyringFile(options.directory));
  if (!header) return std::unexpected(FailureOf(header.error(), "cannot read the keyring"));
  const std::string key = audit::FormatVerifierKey({header->log_origin, header->log_public_key});
  if (options.json) {
    json result = {{"log_key", key}, {"handed_to_server", done->served}};
    if (step == vault::LogKeyStep::kAdd) {
      result["begun"] = done->begun;
      result["signs"] = done->taken_up;
    }
    PrintJson(console, result);
    return done->taken_up ? Exit::kOk : Exit::kFailed;
  }
  if (step == vault::LogKeyStep::kRetire) {
    console.out << "The older key is destroyed. The log's verifier key:\n  " << Printable(key)
                << '\n';
    return Exit::kOk;
  }
  console.out << (done->begun ? "The log has a second key" : "The log had a second key already")
              << (done->taken_up ? ", and is signed by both now"
                                 : ", which the server that runs has not taken up yet: look for "
                                   "log.key.announced in the log")
              << ". The new verifier key, also in the log:\n  " << Printable(key)
              << "\nHave everybody who verifies run coffer verify once with the old key (--state "
                 "keeps the new one),\nor give them the new key. Then: coffer key finish log\n";
  return done->taken_up ? Exit::kOk : Exit::kFailed;
}

using KeyStep = Outcome<Exit> (*)(const KeyOptions&, Console&);

void AddExchange(CLI::App& group, Command& chosen, const std::string& name, const char* help,
                 const char* when, KeyStep step) {
  auto options = std::make_shared<KeyOptions>();
  CLI::App* command = group.add_subcommand(name, help);
  AddDirectory(*command, *options);
  command->footer(std::string("Run it as root") + when +
                  ": it reads the root key, and writes as the account that has the vault. "
                  "Example:\n  coffer key " +
                  group.get_name() + " " + name +
                  " --data /var/lib/coffer --root-key-file root.key");
  RunWith(*command, chosen, options, step);
}

void AddLogKeyStep(CLI::App& group, Command& chosen, const char* help, vault::LogKeyStep step) {
  auto options = std::make_shared<LogKeyOptions>();
  CLI::App* command = group.add_subcommand("log", help);
  AddDirectory(*command, *options);
  command
      ->add_option("--anchor", options->anchor,
                   "Without a server: the anchor, where it lies elsewhere")
      ->type_name("FILE");
  command
      ->add_option("--ledger", options->ledger,
                   "Without a server: the ledger of erasures, where it lies elsewhere")
      ->type_name("FILE");
  command->footer(
      "Run it as root: it reads the root key, and writes as the account that has the vault. "
      "Example:\n  coffer key " +
      group.get_name() + " log --data /var/lib/coffer --root-key-file root.key");
  command->callback([options, step, &chosen] {
    chosen = [options, step](Console& console) { return StepLogKey(*options, step, console); };
  });
}

}  // namespace

void AddKeyExchanges(CLI::App& rotate, CLI::App& finish, Command& chosen) {
  AddExchange(rotate, chosen, "clients",
              "Begin to wrap all clients' keys under a new key, which the server does", "",
              RotateClients);
  AddExchange(rotate, chosen, "database",
              "Begin to write both databases anew under new keys, which the server does", "",
              RotateDatabase);
  AddExchange(rotate, chosen, "index",
              "Have the search index made anew under a new key, which the server does", "",
              RotateIndex);
  AddLogKeyStep(rotate, chosen, "Add a key that signs the log, beside the old one",
                vault::LogKeyStep::kAdd);
  AddExchange(finish, chosen, "clients", "Destroy the key that clients' keys were under before",
              ", when coffer key status says that all are wrapped", FinishClients);
  AddExchange(finish, chosen, "database", "Destroy the keys that the databases were under before",
              ", when coffer key status says that both are written", FinishDatabase);
  AddLogKeyStep(finish, chosen, "Destroy the key that signed the log before",
                vault::LogKeyStep::kRetire);
}

}  // namespace coffer::cli
