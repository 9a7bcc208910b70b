#include "api/cli/verify/verification.h"

#include <nlohmann/json.hpp>

#include "api/cli/files/input_kind.h"
#include "api/cli/text/json_view.h"
#include "api/cli/verify/entries_file.h"
#include "api/cli/verify/remote_log.h"
#include "api/cli/verify/tiles_log.h"
#include "audit/entries/entry.h"
#include "audit/entries/succession.h"
#include "audit/tlog/checkpoint_text.h"
#include "audit/tlog/proof.h"
#include "crypto/keyring.h"
#include "vault/vault.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::chrono::hours kDeepPatience{12};
constexpr unsigned kTileBits = 8;

Outcome<audit::VerifierKey> KeyOfServer(ApiClient& client) {
  const auto status = client.Get(Target("/v1/status"));
  if (!status) {
    Failure failure = status.error();
    failure.advice += " Or give the log's verifier key with --log-key.";
    return std::unexpected(std::move(failure));
  }
  return ParseLogKey(Text(Member(*status, "log"), "key"));
}

audit::VerifyOptions OptionsFor(const audit::VerifierKey& key, const VerificationInput& input) {
  audit::VerifyOptions options;
  options.key = key;
  options.checkpoints = input.checkpoints;
  options.check_tiles = false;  // neither pages nor exports have any
  return options;
}

// The given notes, and behind them those of what is verified.
std::vector<VerificationResult::Note> NotesOf(const VerificationInput& input,
                                              std::vector<VerificationResult::Note> own) {
  std::vector<VerificationResult::Note> notes;
  for (std::size_t i = 0; i < input.checkpoints.size(); ++i) {
    const bool named = i < input.names.size();
    notes.push_back(
        {named ? input.names[i] : "a checkpoint that was given", input.checkpoints[i], true});
  }
  notes.insert(notes.end(), own.begin(), own.end());
  return notes;
}

EntryProgress ProgressOn(ProgressLine& line) {
  return [&line](std::uint64_t done, std::uint64_t size) {
    line.Show(Grouped(done) + " of " + Grouped(size) + " entries");
  };
}

// The server's own look at its stored state joins the findings of ours.
Outcome<void> AddDeep(ApiClient& client, VerificationResult& result) {
  COFFER_ASSIGN(const json answer,
                client.Post(Target("/v1/log/verify"), R"({"deep":true})", kDeepPatience));
  result.deep = VerificationResult::Deep{Number(answer, "clients_checked").value_or(0),
                                         Number(answer, "records_checked").value_or(0)};
  const json& findings = Member(answer, "findings");
  if (findings.is_array()) {
    for (const json& finding : findings) {
      result.log.findings.push_back({Number(finding, "seq"), Text(finding, "check"),
                                     "the server says: " + Text(finding, "message")});
    }
  }
  const json& ok = Member(answer, "ok");
  if (result.log.ok() && !(ok.is_boolean() && ok.get<bool>())) {
    result.log.findings.push_back({std::nullopt, "state", "the server found damage"});
  }
  return {};
}

struct FetchedCheckpoint {
  std::string note;
  std::uint64_t size = 0;
};

Outcome<FetchedCheckpoint> FetchCheckpoint(const FetchFile& fetch, const std::string& origin) {
  COFFER_ASSIGN(const auto note, fetch("checkpoint", audit::kMaxNoteBytes));
  if (!note) {
    return Failed(Exit::kUsage, "there is no checkpoint there, and so no log",
                  "A log's address, or directory, has checkpoint and tile below it.");
  }
  const auto checkpoint = audit::ReadUnverifiedCheckpoint(*note);
  if (!checkpoint) {
    return Failed(Exit::kDamaged,
                  "what is there as checkpoint is none: " + checkpoint.error().detail);
  }
  // Whose it is stands in its first line: there is no use in reading all of another log.
  if (!audit::IsSameLog(checkpoint->origin, origin)) {
    return std::unexpected(OfAnotherLog("the checkpoint", checkpoint->origin, origin));
  }
  return FetchedCheckpoint{*note, checkpoint->size};
}

// The tiles at the right edge, which change with each entry: from what was verified of the log
// below them it follows what they have to be.
Status CheckUnfinishedTiles(TilesLog& log, std::uint64_t size, audit::VerifyReport& report) {
  for (unsigned level = 0; level < 64 / kTileBits && size >> (kTileBits * level) > 0; ++level) {
    const std::uint64_t n = (size >> (kTileBits * level)) / audit::kTileWidth;
    const audit::TilePath path{false, level, n, audit::TileWidth(size, level, n)};
    if (path.width == 0) continue;
    COFFER_ASSIGN(const auto computed, audit::ReadTileAt(log, path, size));
    const auto served = log.ReadUnfinishedTile(path);
    if (!served && served.error().code != Code::kNotFound) return std::unexpected(served.error());
    if (served && *served == computed) continue;
    report.findings.push_back(
        {std::nullopt, "tile",
         "tile/" + audit::FormatTilePath(path) +
             (served ? " does not hold the hashes of the log" : " is missing")});
  }
  return {};
}

Failure FailureOfTiles(const TilesLog& log, const Error& error) {
  Failure failure = log.failure().value_or(FailureOf(error, "the log cannot be verified"));
  if (error.code == Code::kCorrupted) failure.exit = Exit::kDamaged;
  return failure;
}

Failure FailureOfCopy(const Error& error) {
  Failure failure = FailureOf(error, "cannot verify the data directory");
  if (error.reason == "keyring_missing" || error.reason == "database_missing") {
    failure.exit = Exit::kUsage;
  }
  if (error.code == Code::kCorrupted) failure.exit = Exit::kDamaged;
  return failure;
}

// Whose entries they are stands in each of them. One alone may have been altered.
Outcome<void> CheckOriginOf(const std::string& path, EntriesFile& file, const std::string& origin) {
  std::string other;
  bool own = false;
  const Status read = file.ReadEntries(0, 3, [&](std::uint64_t, std::string_view bytes) -> Status {
    const auto entry = audit::ParseEntry(bytes);
    if (entry && !audit::IsSameLog(entry->log, origin)) other = entry->log;
    own = own || (entry && audit::IsSameLog(entry->log, origin));
    return {};
  });
  if (!read) return std::unexpected(FailureOf(read.error(), "cannot read the entries"));
  if (own || other.empty()) return {};
  return std::unexpected(OfAnotherLog(path, other, origin));
}

}  // namespace

Outcome<audit::VerifierKey> ParseLogKey(std::string_view text) {
  auto key = audit::ParseVerifierKey(text);
  if (!key) {
    return Failed(Exit::kUsage, "\"" + std::string(text) + "\" is not a verifier key",
                  "It looks like NAME+HEX+BASE64; coffer init and coffer status print it.");
  }
  return *std::move(key);
}

Outcome<VerificationResult> VerifyServer(ApiClient& client, const VerificationInput& input,
                                         Console& console) {
  audit::VerifierKey key;
  if (input.key) {
    key = *input.key;
  } else {
    COFFER_ASSIGN(key, KeyOfServer(client));
  }
  // Fetched before the entries, so that a whole log holds all it covers.
  COFFER_ASSIGN(const std::string checkpoint, ReadCheckpoint(client));
  if (const auto said = audit::ReadUnverifiedCheckpoint(checkpoint);
      said && !audit::IsSameLog(said->origin, key.name)) {
    return std::unexpected(OfAnotherLog("what this server has", said->origin, key.name));
  }
  VerificationInput all = input;
  all.checkpoints.push_back(checkpoint);

  VerificationResult result{key.name, input.key.has_value(), {}, {}};
  result.notes = NotesOf(input, {{"the server's checkpoint", checkpoint, false}});
  result.is_origin = true;
  {
    ProgressLine line(console);
    RemoteLog log(client, ProgressOn(line));
    auto report = audit::VerifyLog(log, OptionsFor(key, all));
    if (!report) {
      return std::unexpected(log.failure().value_or(FailureOf(report.error(), "cannot verify")));
    }
    result.log = *std::move(report);
  }
  result.origin = result.log.name;
  if (input.deep) COFFER_TRY(AddDeep(client, result));
  return result;
}

Outcome<VerificationResult> VerifyCopy(const std::string& directory, const std::string& anchor,
                                       const RootKeyOptions& root_key,
                                       const VerificationInput& input) {
  const auto header = crypto::Keyring::ReadHeader(KeyringFile(directory));
  if (header && input.key && !audit::IsSameLog(header->log_origin, input.key->name)) {
    return std::unexpected(OfAnotherLog(directory, header->log_origin, input.key->name));
  }
  COFFER_ASSIGN(const auto provider, OpenRootKey(root_key, directory));
  vault::OfflineVerifyOptions options;
  options.directory = directory;
  options.anchor_path = anchor;
  options.log_key = input.key;
  options.checkpoints = input.checkpoints;
  options.deep = input.deep;
  auto report = vault::VerifyDirectory(options, *provider);
  if (!report) return std::unexpected(FailureOfCopy(report.error()));

  VerificationResult result;
  result.key_is_pinned = input.key.has_value();
  result.origin = report->log.name;
  result.log = std::move(report->log);
  result.notes = NotesOf(input, {{"the copy's anchor", {}, false}});
  if (input.deep)
    result.deep = VerificationResult::Deep{report->clients_checked, report->records_checked};
  return result;
}

Outcome<VerificationResult> VerifyEntries(std::unique_ptr<InputFile> file,
                                          const VerificationInput& input, Console& console) {
  ProgressLine line(console);
  const std::string name = file->name();
  EntriesFile entries(std::move(file), ProgressOn(line));
  COFFER_TRY(CheckOriginOf(name, entries, input.key->name));
  auto report = audit::VerifyLog(entries, OptionsFor(*input.key, input));
  if (!report) return std::unexpected(FailureOf(report.error(), "cannot read the entries"));
  VerificationResult result{report->name, true, {}, {}};
  result.log = *std::move(report);
  result.notes = NotesOf(input, {});
  return result;
}

Outcome<VerificationResult> VerifyTiles(const FetchFile& fetch, const VerificationInput& input,
                                        Console& console) {
  COFFER_ASSIGN(const FetchedCheckpoint checkpoint, FetchCheckpoint(fetch, input.key->name));
  VerificationInput all = input;
  all.checkpoints.push_back(checkpoint.note);
  audit::VerifyOptions options = OptionsFor(*input.key, all);
  options.check_tiles = true;

  ProgressLine line(console);
  TilesLog log(fetch, checkpoint.size, ProgressOn(line));
  auto report = audit::VerifyLog(log, options);
  if (!report) return std::unexpected(FailureOfTiles(log, report.error()));
  if (report->ok()) {
    const Status edge = CheckUnfinishedTiles(log, checkpoint.size, *report);
    if (!edge) return std::unexpected(FailureOfTiles(log, edge.error()));
  }
  VerificationResult result{report->name, true, {}, {}};
  result.log = *std::move(report);
  result.notes =
      NotesOf(input, {{"the checkpoint that lies with the tiles", checkpoint.note, false}});
  return result;
}

Outcome<audit::Checkpoint> VerifyOneEntry(std::string_view proof, std::string_view entry,
                                          const audit::VerifierKey& key) {
  const auto damaged = [](const Error& error) {
    Failure failure = FailureOf(error, "the proof does not hold");
    failure.exit = Exit::kDamaged;
    failure.advice = "Check that proof, entry and key belong together.";
    return std::unexpected(std::move(failure));
  };
  COFFER_TRY(ExpectKind("the file of the proof", proof, InputKind::kProof));
  COFFER_TRY(ExpectKind("the file of the entry", entry, InputKind::kEntries));
  const auto parsed = audit::ParseProof(proof);
  if (!parsed) return damaged(parsed.error());
  // Files end with a line feed that the entry does not have.
  if (entry.ends_with('\n')) entry.remove_suffix(1);
  audit::VerifierKey signer = key;
  if (const auto said = audit::ReadUnverifiedCheckpoint(parsed->checkpoint)) {
    if (!audit::IsSameLog(said->origin, key.name)) {
      return std::unexpected(OfAnotherLog("the proof", said->origin, key.name));
    }
    signer.name = said->origin;
  }
  if (const auto members = audit::ParseEntry(entry); members && members->seq != parsed->index) {
    return Failed(Exit::kUsage,
                  "the proof is of entry " + std::to_string(parsed->index) +
                      ", the file of the entry has entry " + std::to_string(members->seq) +
                      "; nothing was verified",
                  "Give a proof and the entry that it is of.");
  }
  auto checkpoint = audit::VerifyProof(*parsed, crypto::AsBytes(entry), signer);
  if (!checkpoint) return damaged(checkpoint.error());
  return *std::move(checkpoint);
}

}  // namespace coffer::cli
