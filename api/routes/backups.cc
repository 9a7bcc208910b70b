#include "api/routes/backups.h"

#include "api/http/input.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using vault::Action;

constexpr int kCreated = 201;

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

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::DestinationState& destination) {
  object.Text("name", destination.name);
  object.Text("kind", Name(destination.kind));
  object.Text("directory", destination.directory);
  object.Number("generations", destination.generations);
  if (destination.newest) object.Text("newest", *destination.newest);
  if (destination.newest_created) object.Time("newest_created", *destination.newest_created);
  if (destination.until) object.Time("until", *destination.until);
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
      {kPost, "/v1/backup/runs", Action::kBackupRun, "runBackup", Body::kNone, {}, RunBackup},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
