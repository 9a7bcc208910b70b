#include "api/routes/routes.h"

#include <vector>

#include "api/routes/access_log.h"
#include "api/routes/approvals.h"
#include "api/routes/assignments.h"
#include "api/routes/backups.h"
#include "api/routes/breaches.h"
#include "api/routes/classes.h"
#include "api/routes/clients.h"
#include "api/routes/consents.h"
#include "api/routes/disclosures.h"
#include "api/routes/emergency_access.h"
#include "api/routes/erasures.h"
#include "api/routes/explain.h"
#include "api/routes/export.h"
#include "api/routes/health.h"
#include "api/routes/holds.h"
#include "api/routes/import.h"
#include "api/routes/leases.h"
#include "api/routes/log_proofs.h"
#include "api/routes/me.h"
#include "api/routes/notices.h"
#include "api/routes/overview.h"
#include "api/routes/packages.h"
#include "api/routes/principals.h"
#include "api/routes/processing.h"
#include "api/routes/purposes.h"
#include "api/routes/recipients.h"
#include "api/routes/records.h"
#include "api/routes/requests.h"
#include "api/routes/restrictions.h"
#include "api/routes/retention.h"
#include "api/routes/roles.h"
#include "api/routes/sessions.h"
#include "api/routes/status.h"
#include "api/routes/teams.h"
#include "api/routes/tokens.h"

namespace coffer::api {
namespace {

// Of paths that match several patterns the first one counts.
std::vector<Route> RoutesOfRooms() {
  std::vector<Route> routes;
  for (const auto room : {
           HealthRoutes(),     MeRoutes(),
           StatusRoutes(),     ClientRoutes(),
           ErasureRoutes(),    RecordRoutes(),
           ImportRoutes(),     ExportRoutes(),
           HoldRoutes(),       RestrictionRoutes(),
           ClassRoutes(),      PurposeRoutes(),
           AssignmentRoutes(), LeaseRoutes(),
           RoleRoutes(),       ExplainRoutes(),
           TokenRoutes(),      PrincipalRoutes(),
           TeamRoutes(),       SessionRoutes(),
           ApprovalRoutes(),   EmergencyAccessRoutes(),
           RetentionRoutes(),  AccessLogRoutes(),
           LogProofRoutes(),   BackupRoutes(),
           ConsentRoutes(),    BreachRoutes(),
           RecipientRoutes(),  DisclosureRoutes(),
           OverviewRoutes(),   RequestRoutes(),
           NoticeRoutes(),     PackageRoutes(),
           ProcessingRoutes(),
       }) {
    routes.insert(routes.end(), room.begin(), room.end());
  }
  return routes;
}

}  // namespace

std::span<const Route> Routes() {
  static const std::vector<Route> routes = RoutesOfRooms();
  return routes;
}

}  // namespace coffer::api
