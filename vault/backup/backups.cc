#include "vault/backup/backups.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "audit/entries/log_reader.h"
#include "audit/tlog/merkle.h"
#include "crypto/encoding.h"
#include "vault/access/call.h"
#include "vault/backup/moment.h"
#include "vault/backup/repository.h"
#include "vault/engine/log_keys.h"

namespace coffer::vault {
namespace {

constexpr std::chrono::seconds kPatienceForLook{10};

// Somebody took away what was written, or put an older state in its place.
Status GenerationGone(const Repository& repository, const DestinationProgress& progress) {
  return Fail(Code::kNotFound, "generation_missing",
              repository.path() + " does not have the one of " +
                  audit::FormatTimestamp(*progress.generation) + " that was written to it");
}

constexpr std::string_view kReplaced = "repository_replaced";

Status IsAnother(const std::string& destination) {
  return Fail(Code::kConflict, kReplaced,
              "the destination " + destination +
                  " has another repository than the one that was read: verify it again");
}

}  // namespace

DestinationState Backups::StateOf(std::size_t number) const {
  const BackupDestination& destination = options_.backup_destinations[number];
  DestinationState state{
      destination.name, destination.kind, destination.directory, {}, 0, {}, {}, {}, {}, {}, false};
  state.verified = runner_.history().Verified(destination.name);
  state.medium = destination.medium;
  state.off_site = destination.off_site;
  const DestinationProgress progress = runner_.writer().Progress()[number];
  const auto look = [&]() -> Status {
    COFFER_ASSIGN(const auto repository, runner_.writer().OpenDestination(destination, true));
    COFFER_ASSIGN(const auto generations, repository.ListGenerations());
    state.generations = generations.size();
    if (generations.empty() && progress.generation) return GenerationGone(repository, progress);
    if (generations.empty()) return {};
    state.newest = generations.back();
    COFFER_ASSIGN(const auto note, repository.GetManifest(generations.back()));
    COFFER_ASSIGN(const auto manifest, audit::ReadBackupManifest(note));
    state.newest_created = manifest.created;
    if (progress.generation && manifest.created < *progress.generation) {
      return GenerationGone(repository, progress);
    }
    if (progress.generation != manifest.created || progress.increments == 0) return {};
    COFFER_ASSIGN(const bool last_is_there,
                  repository.HasIncrement(generations.back(), progress.increments));
    if (last_is_there) return {};
    return Fail(Code::kNotFound, "increment_missing",
                "the last of the " + std::to_string(progress.increments) + " behind " +
                    generations.back() + " is gone from " + repository.path() +
                    "; coffer backup run makes a generation that needs none of them");
  };
  if (options_.backup_increment_seconds > 0) state.until = progress.until;
  state.problem = progress.AnyProblem();
  if (const auto damaged = runner_.history().Damaged(destination.name);
      damaged && state.problem.empty()) {
    state.problem = "integrity_failed: it was found damaged at " +
                    audit::FormatTimestamp(*damaged) + "; coffer backup verify --destination " +
                    destination.name + " says what";
  }
  // One of a destination at a time: where it hangs, those who ask later are answered.
  std::unique_lock one(looks_[number], kPatienceForLook);
  const auto looked = one ? look()
                          : Fail(Code::kUnavailable, "destination_unavailable",
                                 destination.directory + " does not answer");
  if (!looked) state.problem = InWords(looked.error());
  return state;
}

Result<const BackupDestination*> Backups::Begin(Call& call, std::string_view what,
                                                const std::string& name) const {
  const auto& all = options_.backup_destinations;
  const auto found = std::ranges::find(all, name, &BackupDestination::name);
  COFFER_TRY(operations_.Perform(call, [&](Transaction&) -> Status {
    if (found == all.end()) return NotFound(call);
    call.entry.detail = std::string(what) + name;
    return {};
  }));
  return &*found;
}

Result<DestinationState> Backups::InitializeDestination(const Caller& caller,
                                                        const std::string& name) {
  Call call = operations_.Start(caller, {Action::kBackupRun});
  COFFER_ASSIGN(const BackupDestination* const found, Begin(call, "initialize ", name));
  const auto made = runner_.writer().MakeDestination(*found);
  if (!made) {
    COFFER_TRY(operations_.LogSystemEvent("backup.ended", made.error().reason, name));
    return std::unexpected(made.error());
  }
  // What was read back, or is just being read, was another repository of that name.
  BackupHistory& history = runner_.history();
  history.Forget(name);
  bool told = false;
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(told, BackupHistory::IsKnown(transaction, name));
    return {};
  }));
  if (told) {
    audit::Entry entry = VaultEntry("backup.ended");
    entry.outcome = "ok";
    entry.detail = "initialize " + name;
    COFFER_TRY(operations_.Record(std::move(entry), [&](Transaction& transaction) -> Status {
      return BackupHistory::PutUnknown(transaction, name);
    }));
  }
  auto state = StateOf(static_cast<std::size_t>(found - options_.backup_destinations.data()));
  state.problem.clear();  // of the tries before
  runner_.Wake();
  return state;
}

Result<std::vector<DestinationState>> Backups::ListDestinations(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kBackupRead});
  COFFER_TRY(operations_.Perform(call, [](Transaction&) -> Status { return {}; }));
  std::vector<DestinationState> states;
  for (std::size_t i = 0; i < options_.backup_destinations.size(); ++i) {
    states.push_back(StateOf(i));
  }
  return states;
}

Result<BackupRun> Backups::RunBackup(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kBackupRun});
  call.entry.detail = "run";
  bool mine = false;
  const Status begun = operations_.Perform(call, [&](Transaction&) -> Status {
    if (options_.backup_destinations.empty()) {
      return Fail(Code::kConflict, "backup_not_configured");
    }
    mine = runner_.TryBegin();
    return mine ? Status() : Fail(Code::kConflict, "backup_running");
  });
  if (!begun) {
    if (mine) runner_.DropClaim();
    return std::unexpected(begun.error());
  }
  return runner_.MakeGeneration();
}

Result<DestinationVerification> Backups::VerifyDestination(const Caller& caller,
                                                           const std::string& name) {
  Call call = operations_.Start(caller, {Action::kBackupRun});
  // Before the entry: what is put behind it is another repository, however late this goes on.
  BackupHistory& history = runner_.history();
  const std::uint64_t standing = history.Standing(name);
  COFFER_ASSIGN(const BackupDestination* const found, Begin(call, "verify ", name));
  DestinationVerification done{name, {}, {}};
  const auto verify = [&]() -> Status {
    COFFER_ASSIGN(const auto repository, runner_.writer().OpenDestination(*found));
    // Older ones may be signed by keys that are gone; who has those verifies them by these.
    const auto go_on = [this]() -> Status {
      if (runner_.writer().stopping()) return Fail(Code::kUnavailable, "stopping");
      return {};
    };
    COFFER_ASSIGN(done.report,
                  VerifyRepository(repository, {}, VerifierKeysOf(operations_.keyring()), go_on));
    if (done.report.generations.empty() && done.report.findings.empty()) {
      done.report.findings.emplace_back("there is no generation");
    }
    const auto now = runner_.writer().OpenDestination(*found);
    return now && now->id() != repository.id() ? IsAnother(name) : Status();
  };
  if (const auto verified = verify(); !verified) {
    COFFER_TRY(
        operations_.LogSystemEvent("backup.ended", verified.error().reason, "verify " + name));
    return std::unexpected(verified.error());
  }
  const bool whole = done.report.findings.empty();
  const Timestamp now = operations_.Now();
  if (whole) done.verified = now;
  audit::Entry entry = VaultEntry("backup.ended");
  entry.outcome = whole ? "ok" : "integrity_failed";
  entry.detail = "verify " + name;
  bool is_another = false;
  COFFER_TRY(operations_.engine().Run(
      OperationKind::kWrite, EntryRule::kAlways, entry, [&](Transaction& transaction) -> Status {
        // What is put behind it takes this away again.
        is_another = history.Standing(name) != standing;
        if (!is_another) return BackupHistory::PutVerified(transaction, name, now, whole);
        entry.outcome = kReplaced;
        return {};
      }));
  if (is_another) return std::unexpected(IsAnother(name).error());
  history.Publish(name, standing, now, whole);
  return done;
}

Result<std::vector<DestinationPrune>> Backups::PruneBackups(const Caller& caller,
                                                            const std::string& name, bool dry) {
  Call call = operations_.Start(caller, {Action::kBackupRun});
  const auto& all = options_.backup_destinations;
  COFFER_TRY(operations_.Perform(call, [&](Transaction&) -> Status {
    if (all.empty()) return Fail(Code::kConflict, "backup_not_configured");
    const bool known = std::ranges::find(all, name, &BackupDestination::name) != all.end();
    if (!name.empty() && !known) return NotFound(call);
    call.entry.detail = (dry ? "prune dry " : "prune ") + (name.empty() ? "all" : name);
    return {};
  }));
  return runner_.Prune(name, dry);
}

// Signed by this vault's log, of a time that has been; and whether the log begins with the restored
// one. Of a longer one than the vault's, it is the vault that lacks something.
Result<KeptDrill> Backups::CheckDrill(Transaction& transaction, const std::string& note) const {
  constexpr std::int64_t kClocksMayDifferMs = 300'000;
  const auto refuse = [](std::string why) {
    return std::unexpected(
        Error{Code::kUnprocessable, "request_invalid", {}, {{"/note", std::move(why)}}});
  };
  auto report = audit::VerifyDrillNote(note, VerifierKeysOf(operations_.keyring()));
  if (!report) return refuse(InWords(report.error()));
  if (report->vault != crypto::Base32Encode(operations_.keyring().vault_id())) {
    return refuse("it is of another vault");
  }
  if (report->finished.ms > operations_.Now().ms + kClocksMayDifferMs) {
    return refuse("it is of a time to come");
  }
  KeptDrill drill{*std::move(report), note, false};
  LogStore& log = *transaction.stores().log;
  COFFER_ASSIGN(const std::uint64_t size, log.Size());
  if (drill.report.log_size <= size) {
    COFFER_ASSIGN(const Hash root,
                  audit::RootAt(drill.report.log_size, audit::MakeHashReader(log, size)));
    drill.log_agrees = root == drill.report.root;
  }
  return drill;
}

Result<KeptDrill> Backups::RecordDrill(const Caller& caller, const std::string& note) {
  Call call = operations_.Start(caller, {Action::kBackupRun});
  call.entry.detail = "drill";
  COFFER_ASSIGN(
      auto drill, operations_.Perform(call, [&](Transaction& transaction) -> Result<KeptDrill> {
        COFFER_ASSIGN(auto told, CheckDrill(transaction, note));
        for (const auto& before : runner_.history().Drills()) {
          if (before.report.finished <= told.report.finished) continue;
          return Fail(Code::kConflict, "drill_report_older");
        }
        call.entry.detail =
            "drill " + told.report.generation + " " + std::string(Name(told.report.outcome));
        COFFER_TRY(BackupHistory::PutDrill(transaction, told));
        return told;
      }));
  runner_.history().Publish(drill);
  // What was not reached has no root.
  if (!drill.log_agrees && drill.report.root != Hash{}) {
    COFFER_TRY(operations_.LogSystemEvent("integrity.alarm", "log_mismatch",
                                          "drill " + drill.report.generation));
  }
  return drill;
}

Result<std::vector<KeptDrill>> Backups::ListDrills(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kBackupRead});
  COFFER_TRY(operations_.Perform(call, [](Transaction&) -> Status { return {}; }));
  return runner_.history().Drills();
}

}  // namespace coffer::vault
