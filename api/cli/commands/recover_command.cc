// coffer recover: makes the vault of a restored copy, or of a directory that was rolled back.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/input_kind.h"
#include "api/cli/files/root_key.h"
#include "api/cli/text/json_output.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/encoding.h"
#include "crypto/keyring.h"
#include "vault/base/file_account.h"
#include "vault/recovery.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct RecoverOptions {
  std::string directory, anchor, ledger;
  std::vector<std::string> checkpoint_files;
  RootKeyOptions root_key;
  bool anchor_lost = false, ledger_lost = false, json = false;
};

constexpr const char* kRecoverFooter =
    R"(The vault that it was copied from must not run any more. Where an anchor that lies
elsewhere shows that no signed entry is missing, the log goes on. Otherwise it is
closed, and a successor begins, which says what is lost; coffer verify follows it.
Run it as root: it reads the root key, and writes as the account that has the vault.
Example:
  coffer recover --data /var/lib/coffer --anchor /var/lib/coffer-anchor/anchor \
      --root-key-file root.key)";

json RecoveredAsJson(const vault::Recovered& done, const std::string& key) {
  json value{{"log", done.log},
             {"log_key", key},
             {"entries_kept", done.kept},
             {"succeeded", done.closed.has_value()},
             {"repeated", {{"erasures", done.repeated.erasures}, {"acts", done.repeated.acts}}},
             {"acts_not_repeated", done.repeated.acts_left}};
  if (done.copy) {
    value["restored"] = {{"repository", done.copy->repository},
                         {"generation", done.copy->generation},
                         {"increments", done.copy->increments},
                         {"created", audit::FormatTimestamp(done.copy->created)}};
  }
  if (done.closed) {
    value["closed"] = {{"log", done.closed->origin},
                       {"size", done.closed->size},
                       {"root", crypto::HexEncode(done.closed->root)},
                       {"entries_lost", nullptr}};  // not known
    if (done.closed->size > done.kept) {
      value["closed"]["entries_lost"] = done.closed->size - done.kept;
    }
    if (!done.closed_note_path.empty()) value["closed"]["checkpoint"] = done.closed_note_path;
  }
  return value;
}

void SayClosed(const vault::Recovered& done, const std::string& key, Console& console) {
  console.out << "The log " << Printable(done.closed->origin) << " is closed. ";
  if (done.closed->size <= done.kept) {
    console.out << "Nothing shows how far it went behind the " << Grouped(done.kept)
                << " entries\nthat are here; what was acknowledged behind them is lost.\n";
  } else {
    console.out
        << "Entries " << Grouped(done.kept) << " to " << Grouped(done.closed->size - 1)
        << " were signed and are lost,\nand what was acknowledged behind them. Erasures, holds "
           "and revocations among them are in force\nagain as far as the ledger has them.\n";
  }
  if (!done.closed_note_path.empty()) {
    console.out << "Its last checkpoint that is known: " << Printable(done.closed_note_path)
                << "\n";
  }
  console.out
      << "Its successor begins with the " << Grouped(done.kept)
      << " entries that are here: " << Printable(done.log)
      << ".\nGive its verifier key to everybody who verifies; coffer verify --state follows "
         "by itself:\n  "
      << Printable(key) << '\n';
}

Outcome<Exit> Recover(const RecoverOptions& options, Console& console) {
  std::vector<std::string> checkpoints;
  for (const std::string& path : options.checkpoint_files) {
    COFFER_ASSIGN(std::string note, ReadInputFile(path, audit::kMaxNoteBytes));
    COFFER_TRY(ExpectKind(path, note, InputKind::kCheckpoint));
    checkpoints.push_back(std::move(note));
  }
  COFFER_ASSIGN(const auto provider, OpenRootKey(options.root_key, options.directory));
  vault::VaultOptions opening;
  opening.directory = options.directory;
  opening.anchor_path = options.anchor;
  opening.ledger_path = options.ledger;
  opening.require_locked_memory = false;  // for a moment, and without requests
  opening.scrub_entries_per_s = 0;
  // Root has read the key; what is written from here on is the server's.
  const auto account = vault::AccountOfVault(options.directory);
  if (!account) return std::unexpected(FailureOf(account.error(), "nothing was recovered"));
  const auto acting = vault::ActingAs::Begin(*account);
  if (!acting) return std::unexpected(FailureOf(acting.error(), "nothing was recovered"));
  const auto done =
      vault::RecoverVault(opening, *provider, checkpoints,
                          {.anchor = options.anchor_lost, .ledger = options.ledger_lost});
  if (!done) {
    Failure failure = FailureOf(done.error(), "the vault is not recovered");
    const auto copy = vault::ReadRestoredCopy(options.directory);
    if (copy && *copy && (*copy)->settled) {
      failure.advice =
          "Which log goes on is settled in this copy. Mend that, and give the same command again; "
          "to have it settled anew, restore into another directory.";
    }
    return std::unexpected(std::move(failure));
  }
  const auto header = crypto::Keyring::ReadHeader(KeyringFile(options.directory));
  if (!header) return std::unexpected(FailureOf(header.error(), "cannot read the keyring"));
  const std::string key = audit::FormatVerifierKey({header->log_origin, header->log_public_key});
  if (options.json) {
    PrintJson(console, RecoveredAsJson(*done, key));
    return Exit::kOk;
  }
  if (done->closed) {
    SayClosed(*done, key, console);
  } else if (done->copy) {
    console.out << "The log " << Printable(done->log) << " goes on behind the "
                << Grouped(done->kept)
                << " entries that are here: its anchor shows that none that\nwas signed is "
                   "missing. What was acknowledged in the second before may be lost.\n";
  } else {
    console.out << "The anchor was of a log that " << Printable(done->log)
                << " took the place of. There is a new one.\n";
  }
  console.out << "Repeated from the ledger, as the data had not: erasures: "
              << Grouped(done->repeated.erasures)
              << ", other acts: " << Grouped(done->repeated.acts)
              << "; left for people to decide: " << Grouped(done->repeated.acts_left)
              << ".\nNext: start cofferd; then coffer log with --action erasure.replayed, with "
                 "act.replayed and with act.not-repeated\nshows which.\n";
  return Exit::kOk;
}

}  // namespace

void AddRecoverCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<RecoverOptions>();
  CLI::App* command = app.add_subcommand("recover", "Make a restored copy the vault that goes on");
  command->add_option("--data", options->directory, "The data directory; no server has it")
      ->type_name("DIR")
      ->required();
  command->add_option("--anchor", options->anchor, "The anchor, where it lies elsewhere")
      ->type_name("FILE");
  command
      ->add_option("--ledger", options->ledger, "The ledger of erasures, where it lies elsewhere")
      ->type_name("FILE");
  command
      ->add_option("--checkpoint", options->checkpoint_files,
                   "A checkpoint of the log that was kept elsewhere; repeatable")
      ->type_name("FILE");
  command->add_flag("--anchor-lost", options->anchor_lost,
                    "The anchor is lost: close the log, and make a new one there");
  command->add_flag("--ledger-lost", options->ledger_lost,
                    "The ledger at --ledger is lost: put the copy's own there");
  AddRootKeyOptions(*command, options->root_key, "The vault's root key file");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(kRecoverFooter);
  RunWith(*command, chosen, options, Recover);
}

}  // namespace coffer::cli
