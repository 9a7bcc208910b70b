#include "api/routes/health.h"

#include "api/openapi/document.h"

namespace coffer::api {
namespace {

using vault::Action;

Result<Reply> HandleLive(const Service&, const Call&) {
  return Reply{200, "application/json", "{\"status\":\"live\"}", {}};
}

Result<Reply> HandleReady(const Service& service, const Call&) {
  const auto health = service.vault.CheckHealth();
  if (!health.ready) return Fail(Code::kUnavailable, health.reason);
  return Reply{200, "application/json", "{\"status\":\"ready\"}", {}};
}

Result<Reply> HandleOpenApi(const Service&, const Call&) {
  return Reply{200, "application/json", std::string(OpenApiDocument()), {}};
}

Result<Reply> HandleMetrics(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto statistics, service.vault.ReadStatistics(call.caller));
  return Reply{
      200, "text/plain; version=0.0.4; charset=utf-8", service.render_metrics(statistics), {}};
}

}  // namespace

std::span<const Route> HealthRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/health/live", Permission::None(), "getLiveness", Body::kNone, {}, HandleLive},
      {kGet, "/health/ready", Permission::None(), "getReadiness", Body::kNone, {}, HandleReady},
      {kGet, "/openapi.json", Permission::None(), "getOpenApi", Body::kNone, {}, HandleOpenApi},
      {kGet, "/metrics", Action::kMetricsRead, "getMetrics", Body::kNone, {}, HandleMetrics},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
