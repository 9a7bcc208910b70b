#include "api/routes/leases.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

Result<Reply> ListLeases(const Service& service, const Call& call) {
  Input input(service, call, Action::kLeaseRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto leases, service.vault.ListLeases(call.caller, client));
  return WithNames(service, call, RenderList(leases));
}

Result<Reply> GiveLease(const Service& service, const Call& call) {
  Input input(service, call, Action::kLeaseWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const json object, input.Object({"principal", "class", "fields", "purpose",
                                                 "ticket", "lifetime_s", "conditions"}));
  vault::LeaseRequest request;
  COFFER_ASSIGN(request.principal, input.Principal(object, "principal"));
  COFFER_ASSIGN(request.class_name, input.Text(object, "class", true));
  COFFER_ASSIGN(request.fields, input.Texts(object, "fields", true));
  COFFER_ASSIGN(request.purpose, input.Text(object, "purpose", true));
  COFFER_ASSIGN(request.ticket, input.Text(object, "ticket", true));
  COFFER_ASSIGN(request.lifetime_s, input.Seconds(object, "lifetime_s", 0));
  if (object.contains("conditions")) request.conditions = object["conditions"].dump();
  COFFER_ASSIGN(const auto lease, service.vault.GiveLease(call.caller, client, request));
  return WithNames(service, call, RenderOne(lease, 201));
}

Result<Reply> EndLease(const Service& service, const Call& call) {
  Input input(service, call, Action::kLeaseWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  const auto id = vault::LeaseId::Parse(call.segments[1]);
  if (!id) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_ASSIGN(const auto lease, service.vault.EndLease(call.caller, client, *id));
  return WithNames(service, call, RenderOne(lease));
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Lease& lease) {
  object.Text("id", lease.id.Text());
  object.Text("client", lease.client.Text());
  object.Text("principal", lease.principal.Text());
  object.Text("class", lease.class_name);
  object.Texts("fields", lease.fields);
  object.Text("purpose", lease.purpose);
  object.Text("ticket", lease.ticket);
  object.Time("created", lease.created);
  object.Time("expires", lease.expires);
  object.Text("given_by", lease.given_by.Text());
  if (lease.conditions) object.Raw("conditions", *lease.conditions);
}

std::span<const Route> LeaseRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/clients/{client}/leases", Action::kLeaseRead, "listLeases", Body::kNone, {}, ListLeases},
      {kPost, "/v1/clients/{client}/leases", Action::kLeaseWrite, "giveLease", Body::kJson, {}, GiveLease},
      {kDelete, "/v1/clients/{client}/leases/{lease}", Action::kLeaseWrite, "endLease", Body::kNone, {}, EndLease},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
