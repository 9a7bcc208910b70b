#include "api/routes/teams.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;
using vault::PrincipalKind;

Result<Reply> ListTeams(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto teams, service.vault.ListTeams(call.caller));
  return WithNames(service, call, RenderList(teams));
}

Result<Reply> PutTeam(const Service& service, const Call& call) {
  Input input(service, call, Action::kTeamWrite);
  COFFER_ASSIGN(const json object, input.Object({"members"}));
  COFFER_ASSIGN(const auto texts, input.Texts(object, "members", true));
  std::vector<vault::PrincipalId> members;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto id = vault::PrincipalId::Parse(texts[i]);
    if (!id || id->kind() == PrincipalKind::kTeam) {
      return input.Invalid("/members/" + std::to_string(i), "is not the id of a user or service");
    }
    members.push_back(*id);
  }
  COFFER_ASSIGN(const auto team, service.vault.PutTeam(call.caller, call.segments[0], members));
  return WithNames(service, call, RenderOne(team));
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Team& team) {
  object.Text("id", team.id.Text());
  object.Text("name", team.name);
  object.Time("created", team.created);
  std::vector<std::string> members;
  for (const auto& member : team.members) members.push_back(member.Text());
  object.Texts("members", members);
}

std::span<const Route> TeamRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/teams", Action::kTeamRead, "listTeams", Body::kNone, {}, ListTeams},
      {kPut, "/v1/teams/{name}", Action::kTeamWrite, "putTeam", Body::kJson, {}, PutTeam},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
