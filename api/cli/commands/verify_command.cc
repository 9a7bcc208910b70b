// coffer verify: is the log whole, and is it the one that was signed?
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/connection.h"
#include "api/cli/commands/commands.h"
#include "api/cli/files/input_kind.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "api/cli/verify/verification.h"
#include "api/cli/verify/verify_documents.h"
#include "api/cli/verify/verify_evidence.h"
#include "audit/entries/entry.h"
#include "audit/entries/succession.h"
#include "audit/tlog/checkpoint_text.h"
#include "audit/tlog/proof.h"
#include "audit/verify/remembered.h"
#include "crypto/atomic_file.h"

namespace coffer::cli {
namespace {

struct VerifyCommandOptions {
  ConnectionOptions connection;
  RootKeyOptions root_key;
  std::string directory, anchor, entries, tiles, proof, entry, evidence, state;
  std::string act, run_report, drill_report, ledger;
  std::vector<std::string> log_keys;
  std::vector<std::string> checkpoint_files;
  bool deep = false;

  bool IsDocument() const {
    return !act.empty() || !run_report.empty() || !drill_report.empty() || !ledger.empty();
  }
};

constexpr const char* kVerifyFooter = R"(From what is at hand:
  a server          every entry is fetched and checked on this machine (the default)
  --data DIR        a data directory, or a copy of one, that no server has open
  --entries FILE    entries written by coffer log export; needs no root key
  --tiles URL|DIR   the public files of the log (C2SP tlog-tiles: checkpoint, tile/...), of
                    any server that has them or in a directory; needs no root key
  --proof FILE      one entry that coffer log proof and coffer log show --raw wrote
  --evidence FILE   a bundle that coffer evidence wrote
  --act FILE        the act of an erasure
  --run-report FILE the report of a retention run
  --drill-report FILE  the report of a drill, of coffer backup drill
  --ledger FILE     the ledger of erasures, which a restore replays

With --state FILE the newest checkpoint that held is kept from one time to the
next: a log that was taken back or written anew in between is found. The first
time there is nothing to compare with, which is said.

Exit code 0: whole; 2: a file is of another kind or log, nothing was verified;
4: damaged; 7: whole, and behind what was seen before; 9: whole, and the
successor of what was seen before, the end of which is lost. Examples:
  coffer verify --log-key KEY --checkpoint 2026-01.checkpoint
  coffer verify --data vault-copy --root-key-file root.key --log-key KEY --deep
  coffer verify --entries log.ndjson --checkpoint log.ndjson.checkpoint --log-key KEY
  coffer verify --tiles https://mirror.example/log --log-key KEY --state log.state
  coffer verify --proof entry.proof --entry entry.json --log-key KEY)";

// What was seen the last time; nothing the first time.
Outcome<std::optional<audit::RememberedLog>> ReadState(const std::string& path) {
  if (path.empty()) return std::nullopt;
  const auto bytes = crypto::ReadFile(path, audit::kMaxRememberedBytes);
  if (!bytes && bytes.error().code == Code::kNotFound) return std::nullopt;
  if (!bytes) {
    Failure failure = FailureOf(bytes.error(), "cannot read " + path);
    failure.exit = Exit::kUsage;
    return std::unexpected(std::move(failure));
  }
  COFFER_TRY(ExpectKind(path, crypto::AsText(*bytes), InputKind::kState));
  auto remembered = audit::ParseRemembered(crypto::AsText(*bytes));
  if (!remembered) {
    return Failed(Exit::kUsage,
                  path + " is not what was written there (" + remembered.error().detail +
                      "); nothing was verified",
                  "Keep it, and look for a copy. Another FILE begins anew, from the log as it is "
                  "now.");
  }
  return *std::move(remembered);
}

// Only what held is remembered, and never a smaller log than before.
Outcome<void> WriteState(const std::string& path, VerificationResult& result) {
  const audit::VerifyReport& log = result.log;
  if (path.empty()) return {};
  result.state = VerificationResult::State{path, {}, {}};
  for (std::size_t i = 0; i < result.notes.size() && i < log.compared.size(); ++i) {
    if (result.notes[i].from != path) continue;
    result.state->before = std::max(result.state->before.value_or(0), log.compared[i].size);
  }
  result.state->now = result.state->before;
  if (!log.ok() || !log.newest_key || log.newest_note.empty()) return {};
  result.state->now = log.newest_checkpoint->size;
  const auto written = crypto::WriteFileAtomically(
      path, crypto::AsBytes(
                audit::FormatRemembered({*log.newest_key, log.newest_note, log.older_notes})));
  if (!written) return std::unexpected(FailureOf(written.error(), "cannot write " + path));
  return {};
}

Outcome<VerificationInput> GatherInput(const VerifyCommandOptions& options) {
  VerificationInput input;
  input.deep = options.deep;
  const std::string key = options.log_keys.empty()
                              ? ProcessEnvironment()("COFFER_LOG_KEY").value_or("")
                              : options.log_keys.front();
  if (!key.empty()) {
    COFFER_ASSIGN(input.key, ParseLogKey(key));
  }
  COFFER_ASSIGN(const auto remembered, ReadState(options.state));
  if (remembered) {
    if (!input.key) input.key = remembered->key;
    if (!audit::IsSameLog(input.key->name, remembered->key.name)) {
      return std::unexpected(OfAnotherLog(options.state, remembered->key.name, input.key->name));
    }
    input.checkpoints = remembered->older_notes;
    input.checkpoints.push_back(remembered->note);
    input.names.assign(input.checkpoints.size(), options.state);
  }
  for (const std::string& path : options.checkpoint_files) {
    COFFER_ASSIGN(std::string note, ReadInputFile(path, audit::kMaxNoteBytes));
    COFFER_TRY(ExpectKind(path, note, InputKind::kCheckpoint));
    const auto said = audit::ReadUnverifiedCheckpoint(note);
    if (said && input.key && !audit::IsSameLog(said->origin, input.key->name)) {
      return std::unexpected(OfAnotherLog(path, said->origin, input.key->name));
    }
    input.checkpoints.push_back(std::move(note));
    input.names.push_back(NameOfInput(path));
  }
  return input;
}

Outcome<void> CheckUse(const VerifyCommandOptions& options, const VerificationInput& input) {
  const bool single = !options.proof.empty() || !options.evidence.empty() || options.IsDocument();
  const bool offline_files = !options.entries.empty() || !options.tiles.empty() || single;
  if (single && !options.state.empty()) {
    return Failed(Exit::kUsage, "--state is about a whole log, not about single entries");
  }
  if (offline_files && !input.key) {
    return Failed(Exit::kUsage, "these files can be verified with the log's verifier key only",
                  "Give it with --log-key KEY, or set COFFER_LOG_KEY.");
  }
  if (options.log_keys.size() > 1 && !options.IsDocument()) {
    return Failed(Exit::kUsage, "one verifier key is enough: the log names its others itself",
                  "Several are of use with --act, --run-report, --drill-report and --ledger.");
  }
  if (!options.entries.empty() && input.checkpoints.empty()) {
    return Failed(Exit::kUsage, "entries alone prove nothing: anybody can make a chain of them",
                  "Give a signed checkpoint with --checkpoint FILE.");
  }
  if (options.deep && offline_files) {
    return Failed(Exit::kUsage, "--deep compares stored records, which these files do not hold",
                  "Use it with a server or with --data.");
  }
  if (options.directory.empty() && (options.root_key.Named() || !options.anchor.empty())) {
    return Failed(Exit::kUsage, "a root key or an anchor is of use with --data only");
  }
  return {};
}

Outcome<Exit> VerifyProofFiles(const VerifyCommandOptions& options, const VerificationInput& input,
                               Console& console) {
  COFFER_ASSIGN(const std::string proof, ReadInputFile(options.proof, audit::kMaxProofBytes));
  COFFER_ASSIGN(const std::string entry, ReadInputFile(options.entry, audit::kMaxEntryBytes + 1));
  COFFER_ASSIGN(const audit::Checkpoint checkpoint, VerifyOneEntry(proof, entry, *input.key));
  // It was parsed once already, to be verified.
  const std::uint64_t index = audit::ParseProof(proof)->index;
  if (options.connection.json) {
    PrintJson(console, {{"ok", true},
                        {"origin", checkpoint.origin},
                        {"seq", index},
                        {"checkpoint_size", checkpoint.size}});
  } else {
    console.out << "OK: this is entry " << Grouped(index) << " of the log "
                << Printable(checkpoint.origin) << ", under a signed checkpoint of "
                << Grouped(checkpoint.size) << " entries.\n";
  }
  return Exit::kOk;
}

// These may be signed by any key that the log ever had, and do not say which it had.
Outcome<Exit> VerifyDocumentFile(const VerifyCommandOptions& options,
                                 const VerificationInput& input, Console& console) {
  DocumentInput document{{}, audit::UnderAllNames(*input.key), options.connection.json};
  for (std::size_t i = 1; i < options.log_keys.size(); ++i) {
    COFFER_ASSIGN(audit::VerifierKey key, ParseLogKey(options.log_keys[i]));
    for (auto& named : audit::UnderAllNames(key)) document.keys.push_back(std::move(named));
  }
  if (!options.act.empty()) {
    document.path = options.act;
    return VerifyActFile(document, console);
  }
  if (!options.run_report.empty()) {
    document.path = options.run_report;
    return VerifyRunReportFile(document, console);
  }
  if (!options.drill_report.empty()) {
    document.path = options.drill_report;
    return VerifyDrillReportFile(document, console);
  }
  document.path = options.ledger;
  return VerifyLedgerFile(document, console);
}

Outcome<VerificationResult> VerifyLogOf(const VerifyCommandOptions& options,
                                        const VerificationInput& input, Console& console) {
  if (!options.directory.empty()) {
    return VerifyCopy(options.directory, options.anchor, options.root_key, input);
  }
  if (!options.entries.empty()) {
    COFFER_ASSIGN(auto file, InputFile::Open(options.entries));
    COFFER_TRY(ExpectKindOfFile(*file, InputKind::kEntries));
    return VerifyEntries(std::move(file), input, console);
  }
  if (!options.tiles.empty()) {
    COFFER_ASSIGN(const FetchFile fetch, OpenLogFiles(options.tiles, options.connection, console));
    return VerifyTiles(fetch, input, console);
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  return VerifyServer(client, input, console);
}

// A checkpoint that no key of the log signed says nothing about the log. Where something else is
// wrong, that is what has to be told.
Outcome<void> CheckGivenNotes(const VerificationResult& result) {
  using enum audit::VerifyReport::Compared::Result;
  std::string wrong;
  std::size_t findings = 0;
  for (std::size_t i = 0; i < result.notes.size() && i < result.log.compared.size(); ++i) {
    if (!result.notes[i].given) continue;
    const auto became = result.log.compared[i].result;
    if (became != kMalformed && became != kOtherLog && became != kUnsigned &&
        became != kWronglySigned) {
      continue;
    }
    ++findings;
    wrong += (wrong.empty() ? "" : "\n") + result.notes[i].from +
             (became == kUnsigned        ? " is signed by no key of the log " + result.origin
              : became == kWronglySigned ? " is not what the log's key signed"
                                         : " is no checkpoint of the log " + result.origin);
  }
  if (wrong.empty() || result.log.findings.size() > findings) return {};
  return Failed(Exit::kUsage, wrong + "; nothing is said of the log by it",
                "Look where that file comes from: it is another log's, altered, or forged; or the "
                "verifier key is another one. Verify again without it.");
}

Outcome<Exit> Verify(const VerifyCommandOptions& options, Console& console) {
  COFFER_ASSIGN(const VerificationInput input, GatherInput(options));
  COFFER_TRY(CheckUse(options, input));
  if (!options.proof.empty()) return VerifyProofFiles(options, input, console);
  if (!options.evidence.empty()) {
    return VerifyEvidenceFile(options.evidence, *input.key, options.connection.json, console);
  }
  if (options.IsDocument()) return VerifyDocumentFile(options, input, console);
  COFFER_ASSIGN(VerificationResult result, VerifyLogOf(options, input, console));
  COFFER_TRY(CheckGivenNotes(result));
  COFFER_TRY(WriteState(options.state, result));
  return PrintVerification(result, options.connection.json, console);
}

void AddOfflineOptions(CLI::App& command, VerifyCommandOptions& options) {
  static const char* const kGroup = "Without a server";
  auto* data = command.add_option("--data", options.directory,
                                  "Verify this data directory, or this copy of one");
  data->type_name("DIR")->group(kGroup);
  command
      .add_option("--anchor", options.anchor, "With --data: the anchor, where it lies elsewhere")
      ->type_name("FILE")
      ->group(kGroup);
  auto* entries = command.add_option("--entries", options.entries, "Verify these exported entries");
  entries->type_name("FILE")->group(kGroup)->excludes(data);
  auto* tiles = command.add_option("--tiles", options.tiles,
                                   "Verify the log that has its checkpoint and tiles there");
  tiles->type_name("URL|DIR")->group(kGroup)->excludes(data)->excludes(entries);
  auto* entry = command.add_option("--entry", options.entry, "With --proof: the exact entry");
  entry->type_name("FILE")->group(kGroup);
  auto* proof = command.add_option("--proof", options.proof, "Verify one entry by this proof");
  proof->type_name("FILE")
      ->group(kGroup)
      ->excludes(data)
      ->excludes(entries)
      ->excludes(tiles)
      ->needs(entry);
  entry->needs(proof);
  std::vector<CLI::Option*> others = {data, entries, tiles, proof};
  const auto add_file = [&](const char* name, std::string& path, const char* type,
                            const char* text) {
    auto* file = command.add_option(name, path, text);
    file->type_name(type)->group(kGroup);
    for (CLI::Option* other : others) file->excludes(other);
    others.push_back(file);
  };
  add_file("--evidence", options.evidence, "FILE.zip", "Verify this evidence bundle");
  add_file("--act", options.act, "FILE", "Verify this act of an erasure");
  add_file("--run-report", options.run_report, "FILE", "Verify this report of a retention run");
  add_file("--drill-report", options.drill_report, "FILE", "Verify this report of a drill");
  add_file("--ledger", options.ledger, "FILE", "Verify this ledger of erasures");
}

}  // namespace

void AddVerifyCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<VerifyCommandOptions>();
  CLI::App* command = app.add_subcommand("verify", "Check that the log is whole and unchanged");
  command
      ->add_option("--log-key", options->log_keys,
                   "The log's verifier key, from coffer init, kept apart from the server (env "
                   "COFFER_LOG_KEY); acts, reports and ledgers: any number of them")
      ->type_name("KEY")
      ->allow_extra_args(false);
  command
      ->add_option("--checkpoint", options->checkpoint_files,
                   "Signed checkpoint that the log must still contain; any number of them")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--state", options->state,
                   "File that remembers the newest checkpoint; made the first time")
      ->type_name("FILE");
  command->add_flag("--deep", options->deep,
                    "Compare every stored record and client with the log too");
  AddOfflineOptions(*command, *options);
  AddRootKeyOptions(*command, options->root_key, "With --data: the vault's root key file");
  AddConnectionOptions(*command, options->connection, PurposeUse::kNone);
  command->get_option("--tiles")->excludes(command->get_option("--url"));
  command->footer(kVerifyFooter);
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return Verify(*options, console); };
  });
}

}  // namespace coffer::cli
