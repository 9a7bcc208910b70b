#include "api/routes/principals.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

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
  COFFER_ASSIGN(const auto principal, service.vault.GetPrincipal(call.caller, id));
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
  COFFER_ASSIGN(const auto principal, service.vault.UpdatePrincipal(call.caller, id, change));
  return WithOwner(service, call, principal);
}

Result<Reply> ListUsers(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto users, service.vault.ListPrincipals(call.caller, PrincipalKind::kUser));
  return RenderList(users);
}

Result<Reply> CreateUser(const Service& service, const Call& call) {
  Input input(service, call, Action::kPrincipalWrite);
  COFFER_ASSIGN(const json object, input.Object({"login", "name", "role"}));
  vault::UserRequest request;
  COFFER_ASSIGN(request.login, input.Text(object, "login", true, kMaxLogin));
  COFFER_ASSIGN(request.name, input.Text(object, "name", true));
  COFFER_ASSIGN(request.role, input.Text(object, "role", true));
  COFFER_ASSIGN(const auto enrolment, service.vault.CreateUser(call.caller, request));
  return RenderOne(enrolment, 201);
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
  COFFER_ASSIGN(const auto enrolment, service.vault.EnrolAgain(call.caller, id));
  return RenderOne(enrolment, 201);
}

Result<Reply> ListServices(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto services,
                service.vault.ListPrincipals(call.caller, PrincipalKind::kService));
  return WithNames(service, call, RenderList(services));
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
  COFFER_ASSIGN(const auto principal, service.vault.CreateService(call.caller, request));
  return WithNames(service, call, RenderOne(principal, 201));
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
                service.vault.IssueCertificate(call.caller, id, csr, lifetime_s));
  return RenderOne(certificate, 201);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::PrincipalInfo& principal) {
  object.Text("id", principal.id.Text());
  object.Text("name", principal.name);
  object.Text("role", principal.role);
  if (principal.id.kind() == PrincipalKind::kUser) {
    object.Text("login", principal.login);
    object.Flag("enrolled", principal.enrolled);
    object.Flag("second_factor", principal.second_factor);
  } else {
    if (principal.owner) object.Text("owner", principal.owner->Text());
    object.Texts("certificates", principal.certificates);
  }
  object.Time("created", principal.created);
  if (principal.disabled) object.Time("disabled", *principal.disabled);
}

void WriteMembers(ObjectWriter& object, const vault::NewEnrolment& enrolment) {
  object.Object("user", enrolment.user);
  object.Text("code", enrolment.code);
  object.Time("expires", enrolment.expires);
}

void WriteMembers(ObjectWriter& object, const vault::IssuedCertificate& issued) {
  object.Object("service", issued.service);
  object.Text("certificate", issued.certificate);
  object.Text("authority", issued.authority);
}

std::span<const Route> PrincipalRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/users", Action::kPrincipalRead, "listUsers", Body::kNone, {}, ListUsers},
      {kPost, "/v1/users", Action::kPrincipalWrite, "createUser", Body::kJson, {}, CreateUser},
      {kGet, "/v1/users/{principal}", Action::kPrincipalRead, "getUser", Body::kNone, {}, GetUser},
      {kPatch, "/v1/users/{principal}", Action::kPrincipalWrite, "updateUser", Body::kJson, {}, UpdateUser},
      {kPost, "/v1/users/{principal}/enrolment", Action::kPrincipalWrite, "enrolUserAgain", Body::kNone, {}, EnrolUserAgain},
      {kGet, "/v1/services", Action::kPrincipalRead, "listServices", Body::kNone, {}, ListServices},
      {kPost, "/v1/services", Action::kPrincipalWrite, "createService", Body::kJson, {}, CreateService},
      {kGet, "/v1/services/{principal}", Action::kPrincipalRead, "getService", Body::kNone, {}, GetService},
      {kPatch, "/v1/services/{principal}", Action::kPrincipalWrite, "updateService", Body::kJson, {}, UpdateService},
      {kPost, "/v1/services/{principal}/certificates", Action::kPrincipalWrite, "issueCertificate", Body::kJson, {}, IssueCertificate},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
