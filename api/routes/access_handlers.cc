// Roles, assignments, leases, and the explanation of decisions.
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/names.h"
#include "api/routes/render.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

// An id that nothing can have answers like one that nothing has.
Result<vault::PrincipalId> PrincipalInPath(Input& input, const Call& call) {
  const auto id = vault::PrincipalId::Parse(call.segments[1]);
  if (!id) return input.Refuse({Code::kUnprocessable, "principal_unknown", {}, {}});
  return *id;
}

}  // namespace

Result<Reply> ListRoles(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto roles, service.vault.roles().ListRoles(call.caller));
  return RenderList(roles);
}

Result<Reply> GetRole(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto role, service.vault.roles().GetRole(call.caller, call.segments[0]));
  return RenderOne(*role);
}

Result<Reply> PutRole(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto role,
                service.vault.roles().PutRole(call.caller, call.segments[0], call.body));
  return RenderOne(*role);
}

Result<Reply> ListAssignments(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto assignments,
                service.vault.assignments().ListAssignments(call.caller, client));
  return WithNames(service, call, RenderList(assignments));
}

Result<Reply> PutAssignment(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto principal, PrincipalInPath(input, call));
  COFFER_ASSIGN(const json object, input.Object({"starts", "ends"}));
  vault::AssignmentTerms terms;
  COFFER_ASSIGN(terms.starts, input.Time(object, "starts"));
  COFFER_ASSIGN(terms.ends, input.Time(object, "ends"));
  COFFER_ASSIGN(const auto assignment,
                service.vault.assignments().Assign(call.caller, client, principal, terms));
  return WithNames(service, call, RenderOne(assignment));
}

Result<Reply> DeleteAssignment(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  const auto principal = vault::PrincipalId::Parse(call.segments[1]);
  if (!principal) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_TRY(service.vault.assignments().Unassign(call.caller, client, *principal));
  return Reply{204, "", "", {}};
}

Result<Reply> ListLeases(const Service& service, const Call& call) {
  Input input(service, call, Action::kLeaseRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto leases, service.vault.leases().ListLeases(call.caller, client));
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
  COFFER_ASSIGN(const auto lease, service.vault.leases().GiveLease(call.caller, client, request));
  return WithNames(service, call, RenderOne(lease, 201));
}

Result<Reply> EndLease(const Service& service, const Call& call) {
  Input input(service, call, Action::kLeaseWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  const auto id = vault::LeaseId::Parse(call.segments[1]);
  if (!id) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_ASSIGN(const auto lease, service.vault.leases().EndLease(call.caller, client, *id));
  return WithNames(service, call, RenderOne(lease));
}

Result<Reply> ExplainAccess(const Service& service, const Call& call) {
  Input input(service, call, Action::kAccessExplain);
  COFFER_ASSIGN(
      const json object,
      input.Object({"principal", "action", "client", "class", "class_version", "purpose", "reason",
                    "ticket", "at", "address", "certificate", "second_factor_minutes"}));
  vault::AccessQuestion question;
  COFFER_ASSIGN(question.principal, input.Principal(object, "principal"));
  COFFER_ASSIGN(question.action, input.Text(object, "action", true));
  COFFER_ASSIGN(question.client, input.ClientIn(object, false));
  COFFER_ASSIGN(question.class_name, input.Text(object, "class", false));
  COFFER_ASSIGN(question.class_version, input.Number(object, "class_version"));
  COFFER_ASSIGN(question.purpose, input.Text(object, "purpose", false));
  COFFER_ASSIGN(question.reason, input.Flag(object, "reason"));
  COFFER_ASSIGN(question.ticket, input.Flag(object, "ticket"));
  COFFER_ASSIGN(question.at, input.Time(object, "at"));
  COFFER_ASSIGN(question.address, input.Text(object, "address", false));
  COFFER_ASSIGN(question.certificate, input.Flag(object, "certificate"));
  COFFER_ASSIGN(const auto minutes, input.Number(object, "second_factor_minutes"));
  if (minutes) question.second_factor_minutes = std::min<std::uint64_t>(*minutes, 1U << 30);
  COFFER_ASSIGN(const auto answer,
                service.vault.access_explanations().ExplainAccess(call.caller, question));
  return WithNames(service, call, RenderOne(answer));
}

}  // namespace coffer::api
