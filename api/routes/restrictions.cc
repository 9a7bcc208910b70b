#include "api/routes/restrictions.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

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

Result<Reply> ListRestrictions(const Service& service, const Call& call) {
  Input input(service, call, Action::kRestrictionRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto restrictions, service.vault.ListRestrictions(call.caller, client));
  return WithNames(service, call, RenderList(restrictions));
}

Result<Reply> PlaceRestriction(const Service& service, const Call& call) {
  Input input(service, call, Action::kRestrictionWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const json object, input.Object({"class", "basis", "stops"}));
  vault::RestrictionRequest request;
  COFFER_ASSIGN(request.class_name, input.Text(object, "class", false));
  COFFER_ASSIGN(request.basis, input.Text(object, "basis", true));
  COFFER_ASSIGN(request.stops, StopsIn(input, object));
  const auto restriction = service.vault.Restrict(call.caller, client, request);
  if (!restriction) return std::unexpected(restriction.error());
  Reply reply = WithNames(service, call, RenderOne(*restriction, 201));
  reply.headers.emplace_back(
      "Location", "/v1/clients/" + client.Text() + "/restrictions/" + restriction->id.Text());
  return reply;
}

Result<Reply> GetRestriction(const Service& service, const Call& call) {
  Input input(service, call, Action::kRestrictionRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, RestrictionInPath(input, call));
  COFFER_ASSIGN(const auto restriction, service.vault.GetRestriction(call.caller, client, id));
  return WithNames(service, call, RenderOne(restriction));
}

Result<Reply> LiftRestriction(const Service& service, const Call& call) {
  Input input(service, call, Action::kRestrictionWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, RestrictionInPath(input, call));
  COFFER_TRY(service.vault.LiftRestriction(call.caller, client, id));
  return Reply{204, "", "", {}};
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Restriction& restriction) {
  const vault::RestrictionRequest& terms = restriction.terms;
  object.Text("id", restriction.id.Text());
  object.Text("client", restriction.client.Text());
  if (!terms.class_name.empty()) object.Text("class", terms.class_name);
  object.Text("basis", terms.basis);
  {
    ObjectWriter stops = object.Object("stops");
    stops.Texts(terms.stops.all_but ? "all_but" : "purposes", terms.stops.purposes);
  }
  object.Time("since", restriction.since);
  if (restriction.placed_by) object.Text("placed_by", restriction.placed_by->Text());
}

std::span<const Route> RestrictionRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/clients/{client}/restrictions", Action::kRestrictionRead, "listRestrictions", Body::kNone, {}, ListRestrictions},
      {kPost, "/v1/clients/{client}/restrictions", Action::kRestrictionWrite, "placeRestriction", Body::kJson, {}, PlaceRestriction},
      {kGet, "/v1/clients/{client}/restrictions/{restriction}", Action::kRestrictionRead, "getRestriction", Body::kNone, {}, GetRestriction},
      {kDelete, "/v1/clients/{client}/restrictions/{restriction}", Action::kRestrictionWrite, "liftRestriction", Body::kNone, {}, LiftRestriction},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
