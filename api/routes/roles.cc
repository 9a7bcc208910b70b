#include "api/routes/roles.h"

#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using vault::Action;

Result<Reply> ListRoles(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto roles, service.vault.ListRoles(call.caller));
  return RenderList(roles);
}

Result<Reply> GetRole(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto role, service.vault.GetRole(call.caller, call.segments[0]));
  return RenderOne(*role);
}

Result<Reply> PutRole(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto role, service.vault.PutRole(call.caller, call.segments[0], call.body));
  return RenderOne(*role);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::RoleDocument& role) {
  object.Text("name", role.name);
  object.Number("version", role.version);
  object.Flag("built_in", role.version == 0);
  object.Flag("privileged", role.privileged);
  object.Raw("definition", role.definition);
  if (role.not_evaluated.empty()) return;
  object.Objects("not_evaluated", role.not_evaluated, [](ObjectWriter& member, const Issue& issue) {
    member.Text("pointer", issue.pointer);
    member.Text("message", issue.message);
  });
}

std::span<const Route> RoleRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/roles", Action::kRoleRead, "listRoles", Body::kNone, {}, ListRoles},
      {kGet, "/v1/roles/{name}", Action::kRoleRead, "getRole", Body::kNone, {}, GetRole},
      {kPut, "/v1/roles/{name}", Action::kRoleWrite, "putRole", Body::kJson, {}, PutRole},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
