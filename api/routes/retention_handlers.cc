// The retention schedule, previews, runs with their reports, and the clock.
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/names.h"
#include "api/routes/render.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::uint64_t kMostMonths = 600;

Result<vault::RunId> RunIn(Input& input, const Call& call) {
  const auto id = vault::RunId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

}  // namespace

Result<Reply> GetRetentionSchedule(const Service& service, const Call& call) {
  Input input(service, call, Action::kRetentionRead);
  COFFER_ASSIGN(const auto version, input.QueryNumber("version", std::uint64_t{1} << 53));
  COFFER_ASSIGN(const auto schedule,
                service.vault.retention().GetRetentionSchedule(call.caller, version));
  return RenderOne(schedule);
}

Result<Reply> PutRetentionSchedule(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto schedule,
                service.vault.retention().PutRetentionSchedule(call.caller, call.body));
  return RenderOne(schedule);
}

Result<Reply> PreviewRetention(const Service& service, const Call& call) {
  Input input(service, call, Action::kRetentionRead);
  COFFER_ASSIGN(const json object, input.Object({"until", "months", "ids"}));
  vault::RetentionPreviewRequest request;
  COFFER_ASSIGN(request.until, input.Time(object, "until"));
  COFFER_ASSIGN(const auto months, input.Number(object, "months"));
  if (months && *months > kMostMonths) return input.Invalid("/months", "must be at most 600");
  if (months) request.months = static_cast<std::size_t>(*months);
  COFFER_ASSIGN(request.with_ids, input.Flag(object, "ids"));
  COFFER_ASSIGN(const auto preview,
                service.vault.retention().PreviewRetention(call.caller, request));
  return WithClientNames(service, call, RenderOne(preview));
}

Result<Reply> ListRetentionRuns(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto runs, service.vault.retention().ListRetentionRuns(call.caller));
  return WithNames(service, call, RenderList(runs));
}

Result<Reply> StartRetentionRun(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto run, service.vault.retention().StartRetentionRun(call.caller));
  return WithNames(service, call, RenderOne(run, 201));
}

Result<Reply> GetRetentionRun(const Service& service, const Call& call) {
  Input input(service, call, Action::kRetentionRead);
  COFFER_ASSIGN(const auto id, RunIn(input, call));
  COFFER_ASSIGN(const auto run, service.vault.retention().GetRetentionRun(call.caller, id));
  return WithNames(service, call, RenderOne(run));
}

Result<Reply> GetRetentionReport(const Service& service, const Call& call) {
  Input input(service, call, Action::kRetentionRead);
  COFFER_ASSIGN(const auto id, RunIn(input, call));
  const auto format = call.Query("format");
  const bool page = format == "html";
  COFFER_ASSIGN(const auto language, input.Language());
  if (!page && !format.empty() && format != "json") {
    return input.InvalidParameter("format", "must be json or html");
  }
  vault::DocumentRequest request;
  if (page) request.form = vault::DocumentForm::kPage;
  request.language = language;
  COFFER_ASSIGN(auto report, service.vault.retention().ReadRunReport(call.caller, id, request));
  return Reply{200, page ? "text/html; charset=utf-8" : "application/json", std::move(report), {}};
}

Result<Reply> ConfirmClock(const Service& service, const Call& call) {
  COFFER_TRY(service.vault.retention().ConfirmClock(call.caller));
  return Reply{204, {}, {}, {}};
}

}  // namespace coffer::api
