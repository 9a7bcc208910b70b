// coffer backup drill: a restore, tried.
#include "api/cli/commands/backup_drill_command.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/connection.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/input_kind.h"
#include "api/cli/files/private_file.h"
#include "api/cli/files/root_key.h"
#include "api/cli/files/s3_options.h"
#include "api/cli/text/drill_view.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "api/cli/verify/verification.h"
#include "audit/tlog/checkpoint_text.h"
#include "audit/verify/remembered.h"
#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "vault/drill.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct DrillOptions {
  ConnectionOptions connection;
  RootKeyOptions root_key;
  vault::RestoreRequest restore;
  std::string from, keys_from;
  S3CommandOptions s3, keys_s3;
  std::string at, scratch, state, report;
  std::vector<std::string> log_keys, checkpoint_files;
  std::uint64_t most_mib = 0;
  bool tell = false;
};

Outcome<void> TakeCheckpoints(const DrillOptions& options, vault::DrillRequest& request) {
  for (const std::string& key : options.log_keys) {
    COFFER_ASSIGN(request.log_keys.emplace_back(), ParseLogKey(key));
  }
  for (const std::string& path : options.checkpoint_files) {
    COFFER_ASSIGN(std::string note, ReadInputFile(path, audit::kMaxNoteBytes));
    COFFER_TRY(ExpectKind(path, note, InputKind::kCheckpoint));
    request.checkpoints.push_back(std::move(note));
  }
  if (options.state.empty()) return {};
  COFFER_ASSIGN(const std::string text, ReadInputFile(options.state, audit::kMaxRememberedBytes));
  COFFER_TRY(ExpectKind(options.state, text, InputKind::kState));
  auto remembered = audit::ParseRemembered(text);
  if (!remembered) {
    return std::unexpected(FailureOf(remembered.error(), "cannot use " + options.state));
  }
  request.checkpoints.push_back(std::move(remembered->note));
  request.log_keys.push_back(std::move(remembered->key));
  return {};
}

// Before the drill begins: that there is a server to tell, and what it signed last.
Outcome<void> AskServer(ApiClient& client, vault::DrillRequest& request) {
  COFFER_ASSIGN(const json status, client.Get(Target("/v1/status")));
  const json& log = Member(status, "log");
  COFFER_ASSIGN(request.log_keys.emplace_back(), ParseLogKey(Text(log, "key")));
  if (std::string note = Text(log, "checkpoint"); !note.empty()) {
    request.checkpoints.push_back(std::move(note));
  }
  // Only who may read the log gets a proof; without one the server compares when it is told.
  request.prove = [&client](std::uint64_t from,
                            std::uint64_t to) -> Result<std::vector<crypto::Hash>> {
    const auto answer = client.Get(Target("/v1/log/consistency")
                                       .With("from", std::to_string(from))
                                       .With("to", std::to_string(to)));
    if (!answer) return Fail(Code::kUnavailable, "proof_missing", answer.error().message);
    std::vector<crypto::Hash> hashes;
    for (const std::string& text : TextList(*answer, "hashes")) {
      COFFER_ASSIGN(const auto bytes, crypto::Base64Decode(text));
      crypto::Hash& hash = hashes.emplace_back();
      if (bytes.size() != hash.size()) return Fail(Code::kCorrupted, "proof_malformed");
      std::ranges::copy(bytes, hash.begin());
    }
    return hashes;
  };
  return {};
}

Outcome<vault::Drill> RunDrillHere(const DrillOptions& options,
                                   const vault::DrillRequest& request) {
  // What the tool says of a root key is better than the vault's word for it.
  std::optional<Failure> no_root;
  const auto open_root =
      [&](const std::string& directory) -> Result<std::unique_ptr<crypto::RootKeyProvider>> {
    auto root = OpenRootKey(options.root_key, directory);
    if (root) return *std::move(root);
    no_root = std::move(root).error();
    return Fail(Code::kUnauthenticated, "root_key_missing");
  };
  auto drill = vault::RunDrill(request, open_root);
  if (drill) return *std::move(drill);
  if (no_root && drill.error().reason == "root_key_missing") {
    return std::unexpected(*std::move(no_root));
  }
  Failure failure = FailureOf(drill.error(), "the drill could not be held");
  if (drill.error().code == Code::kCorrupted) failure.exit = Exit::kDamaged;
  return std::unexpected(std::move(failure));
}

// The report that could not be left with the server is in the file, and not lost.
Outcome<Exit> HoldDrill(const DrillOptions& options, Console& console) {
  vault::DrillRequest request{options.restore, options.scratch};
  request.restore.data_repository = options.s3.PlaceOf(options.from);
  request.restore.keys_repository = options.keys_s3.PlaceOf(options.keys_from);
  if (!options.at.empty()) {
    COFFER_ASSIGN(const std::string at, NormalisedTime(options.at, "--at"));
    request.restore.at = *audit::ParseTimestamp(at);
  }
  if (options.most_mib > 0) request.most_bytes = options.most_mib << 20;
  COFFER_TRY(TakeCheckpoints(options, request));
  std::unique_ptr<NewFile> file;
  if (!options.report.empty()) {
    COFFER_ASSIGN(file, NewFile::Create(options.report));
  }
  std::optional<ApiClient> client;
  if (options.tell) {
    COFFER_ASSIGN(client, Connect(options.connection, console));
    COFFER_TRY(AskServer(*client, request));
  }
  COFFER_ASSIGN(const vault::Drill drill, RunDrillHere(options, request));
  const bool passed = drill.report.outcome == audit::DrillOutcome::kPassed;
  if (file) {
    const auto document = audit::AssembleDrillReport(drill.note);
    if (!document) return std::unexpected(FailureOf(document.error(), "the report is none"));
    COFFER_TRY(file->Write(*document + "\n"));
    COFFER_TRY(file->Finish());
  }
  json answer = JsonOfDrill(drill.report);
  if (!options.connection.json) PrintDrill(drill.report, console);
  bool agrees = true;
  if (client) {
    COFFER_ASSIGN(const json told,
                  client->Post(Target("/v1/backup/drills"), json{{"note", drill.note}}.dump()));
    // What was not reached has no root, and was not compared.
    const bool compared = drill.report.root != crypto::Hash{};
    agrees = !compared || Member(told, "log_agrees") == true;
    answer["log_agrees"] = compared ? json(agrees) : json();
    if (!options.connection.json && !compared) {
      console.out << "The server has the report; there was no log to compare.\n";
    } else if (!options.connection.json) {
      console.out << (agrees ? "The server has the report, and the same log up to there.\n"
                             : "The server has the report, and ANOTHER LOG: one of the two is "
                               "not the vault's.\n");
    }
  }
  if (options.connection.json) {
    PrintJson(console, answer);
  } else if (file) {
    console.out << "The signed report is in " << Printable(options.report) << ".\n";
  } else if (!client) {
    console.out << "The signed report is kept nowhere: --report FILE keeps it, --tell leaves it "
                   "with the server.\n";
  }
  return passed && agrees ? Exit::kOk : Exit::kDamaged;
}

constexpr const char* kDrillFooter =
    R"(Nothing is served, nothing outside of the scratch place is written, and what is
written there is destroyed, also when it fails; what a killed drill left goes with
the next. The root key is needed, and room for the vault once and a half.

Exit code 0: passed; 4: failed, or the server has another log. Example:
  coffer backup drill --from /mnt/backup/coffer --keys-from /mnt/keys/coffer \
      --scratch /var/tmp --root-key-file root.key --report drill.json --tell)";

}  // namespace

void AddBackupDrill(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<DrillOptions>();
  CLI::App* command =
      group.add_subcommand("drill", "Try a restore: into a scratch place, opened and verified");
  command
      ->add_option("--from,--data-repository", options->from,
                   "The repository that has the data: its directory, or https:// address")
      ->type_name("DIR")
      ->required();
  command
      ->add_option("--keys-from,--keys-repository", options->keys_from,
                   "The repository that has the keys")
      ->type_name("DIR")
      ->required();
  CLI::Option* const generation = command
                                      ->add_option("--generation", options->restore.generation,
                                                   "This one, without what came behind it")
                                      ->type_name("ID");
  command->add_option("--at", options->at, "The newest moment that is not later than this")
      ->type_name("TIME")
      ->excludes(generation);
  command
      ->add_option("--scratch", options->scratch,
                   "A directory in which a new one is made, and destroyed again")
      ->type_name("DIR")
      ->required();
  command->add_option("--most-mib", options->most_mib, "Use no more room than this there")
      ->type_name("MIB")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 30));
  command
      ->add_option("--log-key", options->log_keys,
                   "A verifier key of the log, where a checkpoint is by a later one; repeatable")
      ->type_name("KEY");
  command
      ->add_option("--checkpoint", options->checkpoint_files,
                   "Signed checkpoint to compare the log with; any number of them")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--state", options->state,
                   "Compare with what coffer verify --state remembered; it stays as it is")
      ->type_name("FILE");
  command->add_option("--report", options->report, "New file for the signed report")
      ->type_name("FILE");
  command->add_flag("--tell", options->tell,
                    "Compare with the server's newest checkpoint, and leave the report with it");
  AddS3Options(*command, "--s3", options->s3);
  AddS3Options(*command, "--keys-s3", options->keys_s3);
  AddRootKeyOptions(*command, options->root_key, "The vault's root key file");
  command->footer(kDrillFooter);
  RunOnline(*command, chosen, options, HoldDrill);
}

}  // namespace coffer::cli
