#include "api/routes/retention.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

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

Result<Reply> GetRetentionSchedule(const Service& service, const Call& call) {
  Input input(service, call, Action::kRetentionRead);
  COFFER_ASSIGN(const auto version, input.QueryNumber("version", std::uint64_t{1} << 53));
  COFFER_ASSIGN(const auto schedule, service.vault.GetRetentionSchedule(call.caller, version));
  return RenderOne(schedule);
}

Result<Reply> PutRetentionSchedule(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto schedule, service.vault.PutRetentionSchedule(call.caller, call.body));
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
  COFFER_ASSIGN(const auto preview, service.vault.PreviewRetention(call.caller, request));
  return WithClientNames(service, call, RenderOne(preview));
}

Result<Reply> ListRetentionRuns(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto runs, service.vault.ListRetentionRuns(call.caller));
  return WithNames(service, call, RenderList(runs));
}

Result<Reply> StartRetentionRun(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto run, service.vault.StartRetentionRun(call.caller));
  return WithNames(service, call, RenderOne(run, 201));
}

Result<Reply> GetRetentionRun(const Service& service, const Call& call) {
  Input input(service, call, Action::kRetentionRead);
  COFFER_ASSIGN(const auto id, RunIn(input, call));
  COFFER_ASSIGN(const auto run, service.vault.GetRetentionRun(call.caller, id));
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
  COFFER_ASSIGN(auto report, service.vault.ReadRunReport(call.caller, id, request));
  return Reply{200, page ? "text/html; charset=utf-8" : "application/json", std::move(report), {}};
}

Result<Reply> ConfirmClock(const Service& service, const Call& call) {
  COFFER_TRY(service.vault.ConfirmClock(call.caller));
  return Reply{204, {}, {}, {}};
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::StoredSchedule& schedule) {
  object.Number("version", schedule.version);
  object.Time("created", schedule.created);
  object.Raw("definition", schedule.definition);
}

void WriteMembers(ObjectWriter& object, const vault::RetentionPreview& preview) {
  object.Number("schedule", preview.schedule);
  object.Time("at", preview.at);
  object.Number("records", preview.records);
  object.Number("due", preview.due);
  object.Number("held", preview.held);
  object.Texts("months", preview.months);
  object.Objects("counts", preview.counts, [](ObjectWriter& row, const auto& count) {
    row.Text("class", count.class_name);
    if (!count.policy.empty()) row.Text("policy", count.policy);
    if (!count.action.empty()) row.Text("action", count.action);
    row.Number("records", count.records);
    row.Number("kept", count.kept);
    row.Number("not_begun", count.not_begun);
    row.Number("unknown", count.unknown);
    row.Number("due", count.due);
    row.Number("held", count.held);
    row.Numbers("by_month", count.by_month);
    row.Number("later", count.later);
  });
  object.Objects("listed", preview.listed, [](ObjectWriter& row, const auto& record) {
    if (record.id) row.Text("record", record.id->Text());
    row.Text("client", record.client.Text());
    row.Text("class", record.class_name);
    row.Text("policy", record.policy);
    row.Text("action", record.action);
    row.Flag("held", record.held);
  });
}

void WriteMembers(ObjectWriter& object, const vault::RetentionRun& run) {
  object.Text("id", run.id.Text());
  object.Number("schedule", run.schedule);
  object.Text("state", run.state);
  object.Text("trigger", run.trigger);
  if (run.asked_by) object.Text("asked_by", run.asked_by->Text());
  object.Time("started", run.started);
  if (run.finished) object.Time("finished", *run.finished);
  if (!run.reason.empty()) object.Text("reason", run.reason);
  if (!run.detail.empty()) object.Text("detail", run.detail);
  object.Number("due", run.due);
  object.Number("erased", run.erased);
  object.Number("restricted", run.restricted);
  object.Number("for_review", run.for_review);
  object.Number("held", run.held);
  object.Number("failed", run.failed);
  object.Number("waiting", run.waiting);
  object.Number("unreached", run.unreached);
  object.Number("unknown", run.unknown);
  object.Flag("counted", run.counted);
}

std::span<const Route> RetentionRoutes() {
  using enum Method;
  static constexpr std::string_view kScheduleQuery[] = {"version"};
  static constexpr std::string_view kReportQuery[] = {"format", "language"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/retention/schedule", Action::kRetentionRead, "getRetentionSchedule", Body::kNone, kScheduleQuery, GetRetentionSchedule},
      {kPut, "/v1/retention/schedule", Action::kRetentionWrite, "putRetentionSchedule", Body::kJson, {}, PutRetentionSchedule},
      {kPost, "/v1/retention/preview", Action::kRetentionRead, "previewRetention", Body::kJson, {}, PreviewRetention},
      {kGet, "/v1/retention/runs", Action::kRetentionRead, "listRetentionRuns", Body::kNone, {}, ListRetentionRuns},
      {kPost, "/v1/retention/runs", Action::kRetentionRun, "startRetentionRun", Body::kNone, {}, StartRetentionRun},
      {kGet, "/v1/retention/runs/{run}", Action::kRetentionRead, "getRetentionRun", Body::kNone, {}, GetRetentionRun},
      {kGet, "/v1/retention/runs/{run}/report", Action::kRetentionRead, "getRetentionReport", Body::kNone, kReportQuery, GetRetentionReport},
      {kPost, "/v1/retention/clock", Action::kClockConfirm, "confirmClock", Body::kNone, {}, ConfirmClock},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
