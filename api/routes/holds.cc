#include "api/routes/holds.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

Result<vault::HoldId> HoldInPath(Input& input, const Call& call) {
  const auto id = vault::HoldId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

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
  COFFER_ASSIGN(const bool lifted, input.QueryFlag("lifted"));
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto holds,
                service.vault.holds().ListHolds(call.caller, client, lifted, page));
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

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Hold& hold) {
  const vault::HoldRequest& terms = hold.terms;
  object.Text("id", hold.id.Text());
  if (terms.client) object.Text("client", terms.client->Text());
  if (!terms.class_name.empty()) object.Text("class", terms.class_name);
  if (!terms.tag.empty()) object.Text("tag", terms.tag);
  object.Text("reason", terms.reason);
  object.Text("case_number", terms.case_number);
  object.Time("review_due", terms.review_due);
  object.Time("placed", hold.placed);
  object.Text("placed_by", hold.placed_by.Text());
  if (hold.lifted) object.Time("lifted", *hold.lifted);
  if (hold.lifted_by) object.Text("lifted_by", hold.lifted_by->Text());
}

std::span<const Route> HoldRoutes() {
  using enum Method;
  static constexpr std::string_view kHoldQuery[] = {"client", "lifted", "limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/holds", Action::kHoldWrite, "placeHold", Body::kJson, {}, PlaceHold},
      {kGet, "/v1/holds", Action::kHoldRead, "listHolds", Body::kNone, kHoldQuery, ListHolds},
      {kGet, "/v1/holds/{hold}", Action::kHoldRead, "getHold", Body::kNone, {}, GetHold},
      {kPost, "/v1/holds/{hold}/lift", Action::kHoldLift, "liftHold", Body::kNone, {}, LiftHold},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
