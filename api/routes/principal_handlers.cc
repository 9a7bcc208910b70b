// Users, services and teams.
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/names.h"
#include "api/routes/render.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;
using vault::PrincipalKind;

// "usr_…" below /v1/users, "svc_…" below /v1/services: another kind is not there.
Result<vault::PrincipalId> PrincipalOfKind(Input& input, const Call& call, PrincipalKind kind) {
  const auto id = vault::PrincipalId::Parse(call.segments[0]);
  if (!id || id->kind() != kind) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  return *id;
}

// Of a user no other principal is said.
Reply WithOwner(const Service& service, const Call& call, const vault::PrincipalInfo& principal) {
  if (principal.id.kind() == PrincipalKind::kUser) return RenderOne(principal);
  return WithNames(service, call, RenderOne(principal));
}

Result<Reply> GetOfKind(const Service& service, const Call& call, PrincipalKind kind) {
  Input input(service, call, Action::kPrincipalRead);
  COFFER_ASSIGN(const auto id, PrincipalOfKind(input, call, kind));
  COFFER_ASSIGN(const auto principal, service.vault.principals().GetPrincipal(call.caller, id));
  return WithOwner(service, call, principal);
}

Result<Reply> UpdateOfKind(const Service& service, const Call& call, PrincipalKind kind) {
  Input input(service, call, Action::kPrincipalWrite);
  COFFER_ASSIGN(const auto id, PrincipalOfKind(input, call, kind));
  COFFER_ASSIGN(const json object,
                input.Object({"name", "role", "disabled", "certificates", "leave_clients"}));
  vault::PrincipalChange change;
  if (object.contains("name")) {
    COFFER_ASSIGN(change.name, input.Text(object, "name", true));
  }
  if (object.contains("role")) {
    COFFER_ASSIGN(change.role, input.Text(object, "role", true));
  }
  COFFER_ASSIGN(change.leave_clients, input.Flag(object, "leave_clients"));
  if (object.contains("disabled")) {
    COFFER_ASSIGN(change.disabled, input.Flag(object, "disabled"));
  }
  if (object.contains("certificates")) {
    COFFER_ASSIGN(change.certificates, input.Texts(object, "certificates", true));
  }
  COFFER_ASSIGN(const auto principal,
                service.vault.principals().UpdatePrincipal(call.caller, id, change));
  return WithOwner(service, call, principal);
}

}  // namespace

Result<Reply> CreateUser(const Service& service, const Call& call) {
  Input input(service, call, Action::kPrincipalWrite);
  COFFER_ASSIGN(const json object, input.Object({"login", "name", "role"}));
  vault::UserRequest request;
  COFFER_ASSIGN(request.login, input.Text(object, "login", true, kMaxLogin));
  COFFER_ASSIGN(request.name, input.Text(object, "name", true));
  COFFER_ASSIGN(request.role, input.Text(object, "role", true));
  COFFER_ASSIGN(const auto enrolment, service.vault.principals().CreateUser(call.caller, request));
  return RenderOne(enrolment, 201);
}

Result<Reply> ListUsers(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto users,
                service.vault.principals().ListPrincipals(call.caller, PrincipalKind::kUser));
  return RenderList(users);
}

Result<Reply> GetUser(const Service& service, const Call& call) {
  return GetOfKind(service, call, PrincipalKind::kUser);
}

Result<Reply> UpdateUser(const Service& service, const Call& call) {
  return UpdateOfKind(service, call, PrincipalKind::kUser);
}

Result<Reply> EnrolUserAgain(const Service& service, const Call& call) {
  Input input(service, call, Action::kPrincipalWrite);
  COFFER_ASSIGN(const auto id, PrincipalOfKind(input, call, PrincipalKind::kUser));
  COFFER_ASSIGN(const auto enrolment, service.vault.principals().EnrolAgain(call.caller, id));
  return RenderOne(enrolment, 201);
}

Result<Reply> CreateService(const Service& service, const Call& call) {
  Input input(service, call, Action::kPrincipalWrite);
  COFFER_ASSIGN(const json object, input.Object({"name", "role", "owner", "certificates"}));
  vault::ServiceRequest request;
  COFFER_ASSIGN(request.name, input.Text(object, "name", true));
  COFFER_ASSIGN(request.role, input.Text(object, "role", true));
  if (object.contains("owner")) {
    COFFER_ASSIGN(request.owner, input.Principal(object, "owner"));
  }
  COFFER_ASSIGN(request.certificates, input.Texts(object, "certificates", false));
  COFFER_ASSIGN(const auto principal,
                service.vault.principals().CreateService(call.caller, request));
  return WithNames(service, call, RenderOne(principal, 201));
}

Result<Reply> ListServices(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto services,
                service.vault.principals().ListPrincipals(call.caller, PrincipalKind::kService));
  return WithNames(service, call, RenderList(services));
}

Result<Reply> GetService(const Service& service, const Call& call) {
  return GetOfKind(service, call, PrincipalKind::kService);
}

Result<Reply> UpdateService(const Service& service, const Call& call) {
  return UpdateOfKind(service, call, PrincipalKind::kService);
}

Result<Reply> IssueCertificate(const Service& service, const Call& call) {
  Input input(service, call, Action::kPrincipalWrite);
  COFFER_ASSIGN(const auto id, PrincipalOfKind(input, call, PrincipalKind::kService));
  COFFER_ASSIGN(const json object, input.Object({"csr", "lifetime_s"}));
  COFFER_ASSIGN(const auto csr, input.Text(object, "csr", true, kMaxCertificateRequest));
  COFFER_ASSIGN(const auto lifetime_s, input.Seconds(object, "lifetime_s", 90 * 24 * 3600));
  COFFER_ASSIGN(const auto certificate,
                service.vault.principals().IssueCertificate(call.caller, id, csr, lifetime_s));
  return RenderOne(certificate, 201);
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
  COFFER_ASSIGN(const auto team,
                service.vault.teams().PutTeam(call.caller, call.segments[0], members));
  return WithNames(service, call, RenderOne(team));
}

Result<Reply> ListTeams(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto teams, service.vault.teams().ListTeams(call.caller));
  return WithNames(service, call, RenderList(teams));
}

}  // namespace coffer::api
