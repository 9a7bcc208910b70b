#include "vault/backup/backups.h"

#include <algorithm>

#include "vault/access/call.h"
#include "vault/backup/repository.h"

namespace coffer::vault {

DestinationState Backups::StateOf(std::size_t number) const {
  const BackupDestination& destination = options_.backup_destinations[number];
  DestinationState state{
      destination.name, destination.kind, destination.directory, {}, 0, {}, {}, {}};
  const auto look = [&]() -> Status {
    COFFER_ASSIGN(const auto repository, runner_.writer().OpenDestination(destination, true));
    COFFER_ASSIGN(const auto generations, repository.ListGenerations());
    state.generations = generations.size();
    if (generations.empty()) return {};
    state.newest = generations.back();
    COFFER_ASSIGN(const auto note, repository.GetManifest(generations.back()));
    COFFER_ASSIGN(const auto manifest, audit::ReadBackupManifest(note));
    state.newest_created = manifest.created;
    return {};
  };
  const DestinationProgress progress = runner_.writer().Progress()[number];
  if (options_.backup_increment_seconds > 0) {
    state.until = progress.until;
    state.problem = progress.problem;
  }
  if (const auto looked = look(); !looked) state.problem = InWords(looked.error());
  return state;
}

Result<DestinationState> Backups::InitializeDestination(const Caller& caller,
                                                        const std::string& name) {
  Call call = operations_.Start(caller, {Action::kBackupRun});
  const auto& all = options_.backup_destinations;
  const auto found = std::ranges::find(all, name, &BackupDestination::name);
  COFFER_TRY(operations_.Perform(call, [&](Transaction&) -> Status {
    if (found == all.end()) return NotFound(call);
    call.entry.detail = "initialize " + name;
    return {};
  }));
  const auto made = Repository::Create(found->place(), found->kind, runner_.writer().owner());
  if (!made) {
    COFFER_TRY(operations_.LogSystemEvent("backup.ended", made.error().reason, name));
    return std::unexpected(made.error());
  }
  auto state = StateOf(static_cast<std::size_t>(found - all.begin()));
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

}  // namespace coffer::vault
