// Roles, assignments, leases, and the explanation of decisions.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/input.h"
#include "api/render.h"
#include "audit/clock.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

std::unexpected<Error> Invalid(Input& input, std::string pointer, std::string message) {
  return input.Refuse(
      {Code::kUnprocessable, "request_invalid", {}, {{std::move(pointer), std::move(message)}}});
}

Result<std::optional<audit::Timestamp>> TimeOf(Input& input, const json& object, const char* name) {
  COFFER_ASSIGN(const auto text, input.Text(object, name, false));
  if (text.empty()) return std::nullopt;
  const auto time = audit::ParseTimestamp(text, true);
  if (!time) return Invalid(input, std::string("/") + name, "must be an RFC 3339 date-time");
  return *time;
}

Result<bool> FlagOf(Input& input, const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return false;
  if (!found->is_boolean()) {
    return Invalid(input, std::string("/") + name, "must be true or false");
  }
  return found->get<bool>();
}

Result<std::vector<std::string>> TextsOf(Input& input, const json& object, const char* name) {
  const auto found = object.find(name);
  std::vector<std::string> texts;
  const bool listed = found != object.end() && found->is_array() && found->size() <= 100;
  for (std::size_t i = 0; listed && i < found->size(); ++i) {
    if ((*found)[i].is_string()) texts.push_back((*found)[i].get<std::string>());
  }
  if (!listed || texts.size() != found->size()) {
    return Invalid(input, std::string("/") + name, "must be a list of at most 100 texts");
  }
  return texts;
}

Result<vault::PrincipalId> PrincipalOf(Input& input, const json& object) {
  COFFER_ASSIGN(const auto text, input.Text(object, "principal", true));
  const auto id = vault::PrincipalId::Parse(text);
  if (!id) return Invalid(input, "/principal", "is not the id of a principal");
  return *id;
}

// An id that nothing can have answers like one that nothing has.
Result<vault::PrincipalId> PrincipalInPath(Input& input, const Call& call) {
  const auto id = vault::PrincipalId::Parse(call.segments[1]);
  if (!id) return input.Refuse({Code::kUnprocessable, "principal_unknown", {}, {}});
  return *id;
}

}  // namespace

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

Result<Reply> ListAssignments(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto assignments, service.vault.ListAssignments(call.caller, client));
  return RenderList(assignments);
}

Result<Reply> PutAssignment(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto principal, PrincipalInPath(input, call));
  COFFER_ASSIGN(const json object, input.Object({"starts", "ends"}));
  vault::AssignmentTerms terms;
  COFFER_ASSIGN(terms.starts, TimeOf(input, object, "starts"));
  COFFER_ASSIGN(terms.ends, TimeOf(input, object, "ends"));
  COFFER_ASSIGN(const auto assignment, service.vault.Assign(call.caller, client, principal, terms));
  return RenderOne(assignment);
}

Result<Reply> DeleteAssignment(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  const auto principal = vault::PrincipalId::Parse(call.segments[1]);
  if (!principal) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_TRY(service.vault.Unassign(call.caller, client, *principal));
  return Reply{204, "", "", {}};
}

Result<Reply> ListLeases(const Service& service, const Call& call) {
  Input input(service, call, Action::kLeaseRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto leases, service.vault.ListLeases(call.caller, client));
  return RenderList(leases);
}

Result<Reply> GiveLease(const Service& service, const Call& call) {
  Input input(service, call, Action::kLeaseWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const json object,
                input.Object({"principal", "class", "fields", "purpose", "ticket", "lifetime_s"}));
  vault::LeaseRequest request;
  COFFER_ASSIGN(request.principal, PrincipalOf(input, object));
  COFFER_ASSIGN(request.class_name, input.Text(object, "class", true));
  COFFER_ASSIGN(request.fields, TextsOf(input, object, "fields"));
  COFFER_ASSIGN(request.purpose, input.Text(object, "purpose", true));
  COFFER_ASSIGN(request.ticket, input.Text(object, "ticket", true));
  COFFER_ASSIGN(const auto lifetime_s, input.Number(object, "lifetime_s"));
  if (!lifetime_s) return Invalid(input, "/lifetime_s", "is required");
  request.lifetime_s = static_cast<std::int64_t>(std::min<std::uint64_t>(*lifetime_s, 1U << 30));
  COFFER_ASSIGN(const auto lease, service.vault.GiveLease(call.caller, client, request));
  return RenderOne(lease, 201);
}

Result<Reply> EndLease(const Service& service, const Call& call) {
  Input input(service, call, Action::kLeaseWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  const auto id = vault::LeaseId::Parse(call.segments[1]);
  if (!id) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_ASSIGN(const auto lease, service.vault.EndLease(call.caller, client, *id));
  return RenderOne(lease);
}

Result<Reply> ExplainAccess(const Service& service, const Call& call) {
  Input input(service, call, Action::kAccessExplain);
  COFFER_ASSIGN(const json object, input.Object({"principal", "action", "client", "class",
                                                 "purpose", "reason", "ticket", "at"}));
  vault::AccessQuestion question;
  COFFER_ASSIGN(question.principal, PrincipalOf(input, object));
  COFFER_ASSIGN(question.action, input.Text(object, "action", true));
  COFFER_ASSIGN(const auto client, input.Text(object, "client", false));
  if (!client.empty()) {
    const auto id = vault::ClientId::Parse(client);
    if (!id) return Invalid(input, "/client", "is not the id of a client");
    question.client = *id;
  }
  COFFER_ASSIGN(question.class_name, input.Text(object, "class", false));
  COFFER_ASSIGN(question.purpose, input.Text(object, "purpose", false));
  COFFER_ASSIGN(question.reason, FlagOf(input, object, "reason"));
  COFFER_ASSIGN(question.ticket, FlagOf(input, object, "ticket"));
  COFFER_ASSIGN(question.at, TimeOf(input, object, "at"));
  COFFER_ASSIGN(const auto answer, service.vault.ExplainAccess(call.caller, question));
  return RenderOne(answer);
}

}  // namespace coffer::api
