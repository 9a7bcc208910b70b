// Holds, and restrictions of clients.
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/names.h"
#include "api/routes/render.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

Result<vault::HoldId> HoldInPath(Input& input, const Call& call) {
  const auto id = vault::HoldId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

Result<vault::RestrictionId> RestrictionInPath(Input& input, const Call& call) {
  const auto id = vault::RestrictionId::Parse(call.segments[1]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

// {"purposes": […]} or {"all_but": […]}.
Result<vault::StoppedPurposes> StopsIn(Input& input, const json& object) {
  const auto stops = object.find("stops");
  if (stops == object.end()) return input.Invalid("/stops", "is required");
  if (!stops->is_object() || stops->size() != 1 ||
      (!stops->contains("purposes") && !stops->contains("all_but"))) {
    return input.Invalid("/stops", "must have one member, \"purposes\" or \"all_but\"");
  }
  vault::StoppedPurposes stopped{stops->contains("all_but"), {}};
  const std::string at = "/stops/" + stops->begin().key();
  const json& list = stops->begin().value();
  if (!list.is_array()) return input.Invalid(at, "must be a list of texts");
  for (const json& item : list) {
    if (!item.is_string()) return input.Invalid(at, "must be a list of texts");
    stopped.purposes.push_back(item.get<std::string>());
  }
  return stopped;
}

}  // namespace

Result<Reply> PlaceHold(const Service& service, const Call& call) {
  Input input(service, call, Action::kHoldWrite);
  COFFER_ASSIGN(const json object,
                input.Object({"client", "class", "tag", "reason", "case_number", "review_due"}));
  vault::HoldRequest request;
  COFFER_ASSIGN(request.client, input.ClientIn(object, false));
  COFFER_ASSIGN(request.class_name, input.Text(object, "class", false));
  COFFER_ASSIGN(request.tag, input.Text(object, "tag", false));
  COFFER_ASSIGN(request.reason, input.Text(object, "reason", true));
  COFFER_ASSIGN(request.case_number, input.Text(object, "case_number", true));
  COFFER_ASSIGN(const auto review_due, input.Time(object, "review_due"));
  if (!review_due) return input.Invalid("/review_due", "is required");
  request.review_due = *review_due;
  COFFER_ASSIGN(const auto hold, service.vault.holds().PlaceHold(call.caller, request));
  Reply reply = WithNames(service, call, RenderOne(hold, 201));
  reply.headers.emplace_back("Location", "/v1/holds/" + hold.id.Text());
  return reply;
}

Result<Reply> ListHolds(const Service& service, const Call& call) {
  Input input(service, call, Action::kHoldRead);
  std::optional<vault::ClientId> client;
  if (const auto text = call.Query("client"); !text.empty()) {
    const auto id = vault::ClientId::Parse(text);
    if (!id) return input.Refuse(id.error());
    client = *id;
  }
  const auto lifted = call.Query("lifted");
  if (!lifted.empty() && lifted != "true" && lifted != "false") {
    return input.InvalidParameter("lifted", "must be true or false");
  }
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto holds,
                service.vault.holds().ListHolds(call.caller, client, lifted == "true", page));
  return WithClientNames(service, call, RenderList(holds.items, holds.next_cursor));
}

Result<Reply> GetHold(const Service& service, const Call& call) {
  Input input(service, call, Action::kHoldRead);
  COFFER_ASSIGN(const auto id, HoldInPath(input, call));
  COFFER_ASSIGN(const auto hold, service.vault.holds().GetHold(call.caller, id));
  return WithClientNames(service, call, RenderOne(hold));
}

Result<Reply> LiftHold(const Service& service, const Call& call) {
  Input input(service, call, Action::kHoldLift);
  COFFER_ASSIGN(const auto id, HoldInPath(input, call));
  COFFER_ASSIGN(const auto hold, service.vault.holds().LiftHold(call.caller, id));
  return WithNames(service, call, RenderOne(hold));
}

Result<Reply> PlaceRestriction(const Service& service, const Call& call) {
  Input input(service, call, Action::kRestrictionWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const json object, input.Object({"class", "basis", "stops"}));
  vault::RestrictionRequest request;
  COFFER_ASSIGN(request.class_name, input.Text(object, "class", false));
  COFFER_ASSIGN(request.basis, input.Text(object, "basis", true));
  COFFER_ASSIGN(request.stops, StopsIn(input, object));
  const auto restriction = service.vault.restrictions().Restrict(call.caller, client, request);
  if (!restriction) return std::unexpected(restriction.error());
  Reply reply = WithNames(service, call, RenderOne(*restriction, 201));
  reply.headers.emplace_back(
      "Location", "/v1/clients/" + client.Text() + "/restrictions/" + restriction->id.Text());
  return reply;
}

Result<Reply> ListRestrictions(const Service& service, const Call& call) {
  Input input(service, call, Action::kRestrictionRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto restrictions,
                service.vault.restrictions().ListRestrictions(call.caller, client));
  return WithNames(service, call, RenderList(restrictions));
}

Result<Reply> GetRestriction(const Service& service, const Call& call) {
  Input input(service, call, Action::kRestrictionRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, RestrictionInPath(input, call));
  COFFER_ASSIGN(const auto restriction,
                service.vault.restrictions().GetRestriction(call.caller, client, id));
  return WithNames(service, call, RenderOne(restriction));
}

Result<Reply> LiftRestriction(const Service& service, const Call& call) {
  Input input(service, call, Action::kRestrictionWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, RestrictionInPath(input, call));
  COFFER_TRY(service.vault.restrictions().LiftRestriction(call.caller, client, id));
  return Reply{204, "", "", {}};
}

}  // namespace coffer::api
