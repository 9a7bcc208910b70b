#include "api/http/openapi.h"
#include "api/routes/handlers.h"
#include "api/routes/render.h"

namespace coffer::api {

Result<Reply> HandleLive(const Service&, const Call&) {
  return Reply{200, "application/json", "{\"status\":\"live\"}", {}};
}

Result<Reply> HandleReady(const Service& service, const Call&) {
  const auto health = service.vault.monitoring().CheckHealth();
  if (!health.ready) return Fail(Code::kUnavailable, health.reason);
  return Reply{200, "application/json", "{\"status\":\"ready\"}", {}};
}

Result<Reply> HandleOpenApi(const Service&, const Call&) {
  return Reply{200, "application/json", std::string(OpenApiDocument()), {}};
}

Result<Reply> HandleMetrics(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto statistics, service.vault.monitoring().ReadStatistics(call.caller));
  return Reply{
      200, "text/plain; version=0.0.4; charset=utf-8", service.render_metrics(statistics), {}};
}

Result<Reply> HandleStatus(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto status, service.vault.monitoring().ReadStatus(call.caller));
  return RenderOne(ServerStatus{status, service.certificate_expires});
}

}  // namespace coffer::api
