#include "api/routes/emergency_access.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

json Uses(const vault::EmergencyReport& report) {
  json uses = json::array();
  for (const auto& use : report.uses) {
    json one = {{"seq", use.seq}, {"ts", audit::FormatTimestamp(use.ts)}, {"action", use.action}};
    PutText(one, "record", use.record);
    PutText(one, "class", use.class_name);
    PutText(one, "detail", use.detail);
    if (use.version != 0) one["version"] = use.version;
    if (!use.fields.empty()) one["fields"] = use.fields;
    uses.push_back(std::move(one));
  }
  return uses;
}

constexpr std::uint64_t kMaxSeq = std::uint64_t{1} << 53;

Result<Reply> ListEmergencies(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto emergencies, service.vault.ListEmergencies(call.caller));
  return WithClientNames(service, call, RenderList(emergencies));
}

Result<Reply> OpenEmergency(const Service& service, const Call& call) {
  Input input(service, call, Action::kEmergencyOpen);
  COFFER_ASSIGN(const json object, input.Object({"client", "purpose", "ticket", "lifetime_s"}));
  COFFER_ASSIGN(const auto client, input.ClientIn(object, true));
  vault::EmergencyRequest request;
  COFFER_ASSIGN(request.purpose, input.Text(object, "purpose", true));
  COFFER_ASSIGN(request.ticket, input.Text(object, "ticket", true));
  COFFER_ASSIGN(request.lifetime_s, input.Seconds(object, "lifetime_s", 3600));
  COFFER_ASSIGN(const auto emergency, service.vault.OpenEmergency(call.caller, *client, request));
  return WithNames(service, call, RenderOne(emergency, 201));
}

Result<Reply> GetEmergency(const Service& service, const Call& call) {
  Input input(service, call, Action::kEmergencyRead);
  const auto id = vault::EmergencyId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  vault::LogPageRequest page;
  COFFER_ASSIGN(const auto limit, input.QueryNumber("limit", 1000));
  COFFER_ASSIGN(page.start, input.QueryNumber("cursor", kMaxSeq));
  if (limit == 0U) return input.InvalidParameter("limit", "must be at least 1");
  if (limit) page.limit = *limit;
  COFFER_ASSIGN(const auto report, service.vault.GetEmergency(call.caller, *id, page));
  return WithClientNames(service, call, RenderOne(report));
}

Result<Reply> ReviewEmergency(const Service& service, const Call& call) {
  Input input(service, call, Action::kEmergencyReview);
  const auto id = vault::EmergencyId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const json object, input.Object({"finding"}));
  COFFER_ASSIGN(const auto finding, input.Text(object, "finding", true));
  COFFER_ASSIGN(const auto emergency, service.vault.ReviewEmergency(call.caller, *id, finding));
  return WithNames(service, call, RenderOne(emergency));
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::EmergencyAccess& emergency) {
  object.Text("id", emergency.id.Text());
  object.Text("client", emergency.client.Text());
  object.Text("principal", emergency.principal.Text());
  object.Text("purpose", emergency.purpose);
  object.Text("ticket", emergency.ticket);
  object.Time("created", emergency.created);
  object.Time("expires", emergency.expires);
  object.Time("review_due", emergency.review_due);
  if (emergency.reviewer) object.Text("reviewer", emergency.reviewer->Text());
  if (emergency.reviewed) {
    object.Time("reviewed", *emergency.reviewed);
    object.Text("finding", emergency.finding);
  }
}

void WriteMembers(ObjectWriter& object, const vault::EmergencyReport& report) {
  WriteMembers(object, report.emergency);
  object.Json("uses", Uses(report));
  if (report.next) object.Text("next_cursor", std::to_string(*report.next));
}

std::span<const Route> EmergencyAccessRoutes() {
  using enum Method;
  static constexpr std::string_view kPageQuery[] = {"limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/emergency-access", Action::kEmergencyRead, "listEmergencies", Body::kNone, {}, ListEmergencies},
      {kPost, "/v1/emergency-access", Action::kEmergencyOpen, "openEmergency", Body::kJson, {}, OpenEmergency},
      {kGet, "/v1/emergency-access/{emergency}", Action::kEmergencyRead, "getEmergency", Body::kNone, kPageQuery, GetEmergency},
      {kPost, "/v1/emergency-access/{emergency}/review", Action::kEmergencyReview, "reviewEmergency", Body::kJson, {}, ReviewEmergency},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
