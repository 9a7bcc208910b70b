// coffer log-key: a new signing key for the log, beside the old one and then in its place.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "api/cli/commands/commands.h"
#include "api/cli/files/root_key.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "vault/base/file_account.h"
#include "vault/log_key_rotation.h"

namespace coffer::cli {
namespace {

struct LogKeyOptions {
  std::string directory, anchor, ledger;
  RootKeyOptions root_key;
};

Outcome<Exit> Rotate(const LogKeyOptions& options, vault::LogKeyStep step, Console& console) {
  COFFER_ASSIGN(const auto provider, OpenRootKey(options.root_key, options.directory));
  vault::VaultOptions opening;
  opening.directory = options.directory;
  opening.anchor_path = options.anchor;
  opening.ledger_path = options.ledger;
  opening.require_locked_memory = false;  // for a moment, and without requests
  opening.scrub_entries_per_s = 0;
  // Root has read the key; what is written from here on is the server's.
  const auto account = vault::AccountOfVault(options.directory);
  if (!account) return std::unexpected(FailureOf(account.error(), "the log's key is as it was"));
  const auto acting = vault::ActingAs::Begin(*account);
  if (!acting) return std::unexpected(FailureOf(acting.error(), "the log's key is as it was"));
  const auto done = vault::RotateLogKey(opening, *provider, step);
  if (!done) {
    const bool changed = done.error().reason == "log_key_changed";
    return std::unexpected(FailureOf(
        done.error(), changed
                          ? "the exchange is not finished; the next start of the vault finishes it"
                          : "the log's key is as it was"));
  }
  const auto header = crypto::Keyring::ReadHeader(KeyringFile(options.directory));
  if (!header) return std::unexpected(FailureOf(header.error(), "cannot read the keyring"));
  const std::string key = audit::FormatVerifierKey({header->log_origin, header->log_public_key});
  if (step == vault::LogKeyStep::kAdd) {
    console.out
        << "The log is signed by two keys now. The new verifier key, also in the log:\n  "
        << Printable(key)
        << "\nHave everybody who verifies run coffer verify once with the old key (--state keeps "
           "the new one),\nor give them the new key. Then: coffer log-key retire\n";
  } else {
    console.out << "The old key is destroyed. The log's verifier key:\n  " << Printable(key)
                << '\n';
  }
  return Exit::kOk;
}

void AddStep(CLI::App& group, Command& chosen, const char* name, const char* help,
             vault::LogKeyStep step) {
  auto options = std::make_shared<LogKeyOptions>();
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("--data", options->directory, "The vault's data directory; no server has it")
      ->type_name("DIR")
      ->required();
  command->add_option("--anchor", options->anchor, "The anchor, where it lies elsewhere")
      ->type_name("FILE");
  command
      ->add_option("--ledger", options->ledger, "The ledger of erasures, where it lies elsewhere")
      ->type_name("FILE");
  AddRootKeyOptions(*command, options->root_key, "The vault's root key file");
  command->footer(
      std::string(
          "Run it as root: it reads the root key, and writes as the account that has the vault. "
          "Example:\n  coffer log-key ") +
      name + " --data /var/lib/coffer --root-key-file root.key");
  command->callback([options, step, &chosen] {
    chosen = [options, step](Console& console) { return Rotate(*options, step, console); };
  });
}

}  // namespace

void AddLogKeyCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("log-key", "Exchange the key that signs the log");
  group->require_subcommand(1);
  AddStep(*group, chosen, "add", "Add a new key, which signs beside the old one",
          vault::LogKeyStep::kAdd);
  AddStep(*group, chosen, "retire", "Destroy the old key", vault::LogKeyStep::kRetire);
}

}  // namespace coffer::cli
