#include "api/routes/backups.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using vault::Action;

constexpr int kCreated = 201;
constexpr std::size_t kMaxDestination = 32, kMaxDrillNote = 64UZ * 1024;

Result<Reply> ListDestinations(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto states, service.vault.backups().ListDestinations(call.caller));
  return RenderList(states);
}

Result<Reply> InitializeDestination(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto state,
                service.vault.backups().InitializeDestination(call.caller, call.segments[0]));
  return RenderOne(state, kCreated);
}

Result<Reply> RunBackup(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto run, service.vault.backups().RunBackup(call.caller));
  return RenderOne(run, kCreated);
}

Result<Reply> VerifyDestination(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto done,
                service.vault.backups().VerifyDestination(call.caller, call.segments[0]));
  return RenderOne(done);
}

Result<Reply> PruneBackups(const Service& service, const Call& call) {
  Input input(service, call, Action::kBackupRun);
  COFFER_ASSIGN(const auto object, input.Object({"destination", "dry_run"}));
  COFFER_ASSIGN(const auto destination, input.Text(object, "destination", false, kMaxDestination));
  COFFER_ASSIGN(const bool dry, input.Flag(object, "dry_run"));
  COFFER_ASSIGN(const auto pruned,
                service.vault.backups().PruneBackups(call.caller, destination, dry));
  return RenderList(pruned);
}

Result<Reply> RecordDrill(const Service& service, const Call& call) {
  Input input(service, call, Action::kBackupRun);
  COFFER_ASSIGN(const auto object, input.Object({"note"}));
  COFFER_ASSIGN(const auto note, input.Text(object, "note", true, kMaxDrillNote));
  COFFER_ASSIGN(const auto drill, service.vault.backups().RecordDrill(call.caller, note));
  return RenderOne(drill, kCreated);
}

Result<Reply> ListDrills(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto drills, service.vault.backups().ListDrills(call.caller));
  return RenderList(drills);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::DestinationVerification& done) {
  object.Text("name", done.name);
  object.Text("kind", Name(done.report.kind));
  object.Texts("generations", done.report.generations);
  object.Number("increments", done.report.increments);
  object.Number("bytes_read", done.report.bytes);
  object.Texts("findings", done.report.findings);
  if (done.verified) object.Time("verified", *done.verified);
}

void WriteMembers(ObjectWriter& object, const vault::DestinationPrune& pruned) {
  object.Text("name", pruned.name);
  object.Text("kind", Name(pruned.kind));
  object.Texts("kept", pruned.kept);
  object.Texts("removed", pruned.removed);
  if (!pruned.problem.empty()) object.Text("problem", pruned.problem);
}

void WriteMembers(ObjectWriter& object, const vault::KeptDrill& drill) {
  const audit::DrillReport& report = drill.report;
  object.Text("outcome", Name(report.outcome));
  object.Flag("log_agrees", drill.log_agrees);
  object.Time("finished", report.finished);
  if (!report.generation.empty()) object.Text("generation", report.generation);
  if (report.moment) object.Time("moment", *report.moment);
  object.Number("log_size", report.log_size);
  object.Number("records_checked", report.records);
  object.Number("took_ms", report.restore_ms + report.open_ms + report.verify_ms);
  object.Texts("findings", report.findings);
  object.Text("note", drill.note);
}

void WriteMembers(ObjectWriter& object, const vault::DestinationState& destination) {
  object.Text("name", destination.name);
  object.Text("kind", Name(destination.kind));
  object.Text("directory", destination.directory);
  object.Number("generations", destination.generations);
  if (destination.newest) object.Text("newest", *destination.newest);
  if (destination.newest_created) object.Time("newest_created", *destination.newest_created);
  if (destination.until) object.Time("until", *destination.until);
  if (destination.verified) object.Time("verified", *destination.verified);
  if (!destination.medium.empty()) object.Text("medium", destination.medium);
  object.Flag("off_site", destination.off_site);
  if (!destination.problem.empty()) object.Text("problem", destination.problem);
}

void WriteMembers(ObjectWriter& object, const vault::BackupRun& run) {
  if (!run.generation.empty()) object.Text("generation", run.generation);
  object.Time("created", run.created);
  object.Number("log_size", run.log_size);
  object.Flag("complete", run.complete());
  object.Objects("destinations", run.destinations, [](ObjectWriter& item, const auto& done) {
    item.Text("name", done.name);
    item.Text("kind", Name(done.kind));
    item.Number("pages", done.figures.pages);
    item.Number("pages_stored", done.figures.pages_stored);
    item.Number("bytes_stored", done.figures.bytes_stored);
    item.Number("generations_removed", done.generations_removed);
    item.Number("generations_retained", done.generations_retained);
    if (done.retained_until) item.Time("retained_until", *done.retained_until);
    if (!done.problem.empty()) item.Text("problem", done.problem);
  });
}

std::span<const Route> BackupRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/backup/destinations", Action::kBackupRead, "listBackupDestinations", Body::kNone, {}, ListDestinations},
      {kPost, "/v1/backup/destinations/{destination}/initialize", Action::kBackupRun, "initializeBackupDestination", Body::kNone, {}, InitializeDestination},
      {kPost, "/v1/backup/destinations/{destination}/verify", Action::kBackupRun, "verifyBackupDestination", Body::kNone, {}, VerifyDestination},
      {kGet, "/v1/backup/drills", Action::kBackupRead, "listBackupDrills", Body::kNone, {}, ListDrills},
      {kPost, "/v1/backup/drills", Action::kBackupRun, "recordBackupDrill", Body::kJson, {}, RecordDrill},
      {kPost, "/v1/backup/prunes", Action::kBackupRun, "pruneBackups", Body::kJson, {}, PruneBackups},
      {kPost, "/v1/backup/runs", Action::kBackupRun, "runBackup", Body::kNone, {}, RunBackup},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
