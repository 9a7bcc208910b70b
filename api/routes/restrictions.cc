#include "api/routes/restrictions.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"
#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

Result<vault::RestrictionId> RestrictionInPath(Input& input, const Call& call) {
  const auto id = vault::RestrictionId::Parse(call.segments[1]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

// {"purposes": […]}, {"legal_bases": […]} or both; or {"all_but": […]}.
Result<vault::StoppedPurposes> StopsIn(Input& input, const json& object) {
  const auto stops = object.find("stops");
  if (stops == object.end()) return input.Invalid("/stops", "is required");
  if (!stops->is_object() || stops->empty() || (stops->contains("all_but") && stops->size() != 1)) {
    return input.Invalid("/stops",
                         "must have \"all_but\", or \"purposes\" or \"legal_bases\" or both");
  }
  vault::StoppedPurposes stopped{stops->contains("all_but"), {}, {}};
  for (const auto& [name, list] : stops->items()) {
    const std::string at = vault::PointerTo("/stops", name);
    if (name != "purposes" && name != "legal_bases" && name != "all_but") {
      return input.Invalid(at, "is not a known member");
    }
    std::vector<std::string>& named =
        name == "legal_bases" ? stopped.legal_bases : stopped.purposes;
    if (!list.is_array()) return input.Invalid(at, "must be a list of texts");
    for (const json& item : list) {
      if (!item.is_string()) return input.Invalid(at, "must be a list of texts");
      named.push_back(item.get<std::string>());
    }
  }
  return stopped;
}

Result<Reply> ListRestrictions(const Service& service, const Call& call) {
  Input input(service, call, Action::kRestrictionRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const bool lifted, input.QueryFlag("lifted"));
  COFFER_ASSIGN(const auto restrictions,
                service.vault.restrictions().ListRestrictions(call.caller, client, lifted));
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
  const auto restriction = service.vault.restrictions().Restrict(call.caller, client, request);
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

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Restriction& restriction) {
  const vault::RestrictionRequest& terms = restriction.terms;
  object.Text("id", restriction.id.Text());
  object.Text("client", restriction.client.Text());
  if (!terms.class_name.empty()) object.Text("class", terms.class_name);
  object.Text("kind", terms.stops.IsObjection() ? "objection" : "restriction");
  object.Text("basis", terms.basis);
  {
    ObjectWriter stops = object.Object("stops");
    if (terms.stops.all_but) {
      stops.Texts("all_but", terms.stops.purposes);
    } else {
      if (!terms.stops.purposes.empty()) stops.Texts("purposes", terms.stops.purposes);
      if (!terms.stops.legal_bases.empty()) stops.Texts("legal_bases", terms.stops.legal_bases);
    }
  }
  object.Time("since", restriction.since);
  if (restriction.placed_by) object.Text("placed_by", restriction.placed_by->Text());
  if (restriction.lifting) {
    object.Time("lifted", restriction.lifting->lifted);
    object.Text("lifted_by", restriction.lifting->by.Text());
    object.Number("lifted_entry", restriction.lifting->seq);
  }
}

std::span<const Route> RestrictionRoutes() {
  using enum Method;
  static constexpr std::string_view kListQuery[] = {"lifted"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/clients/{client}/restrictions", Action::kRestrictionRead, "listRestrictions", Body::kNone, kListQuery, ListRestrictions},
      {kPost, "/v1/clients/{client}/restrictions", Action::kRestrictionWrite, "placeRestriction", Body::kJson, {}, PlaceRestriction},
      {kGet, "/v1/clients/{client}/restrictions/{restriction}", Action::kRestrictionRead, "getRestriction", Body::kNone, {}, GetRestriction},
      {kDelete, "/v1/clients/{client}/restrictions/{restriction}", Action::kRestrictionWrite, "liftRestriction", Body::kNone, {}, LiftRestriction},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
