#include "api/routes/assignments.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

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

// [{"client": id} or {"external_ref": text}, ...]. One that is no id is nobody's.
Result<std::vector<vault::ClientName>> ClientNames(Input& input, const json& object,
                                                   bool required) {
  const auto found = object.find("clients");
  if (found == object.end() && !required) return std::vector<vault::ClientName>{};
  if (found == object.end() || !found->is_array()) {
    return input.Invalid("/clients", "must be a list of clients");
  }
  if (found->empty() || found->size() > vault::kMostAssigned) {
    return input.Invalid("/clients", "must have 1 to 200 items");
  }
  std::vector<vault::ClientName> names;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const std::string at = "/clients/" + std::to_string(i);
    const json& item = (*found)[i];
    const auto text = [&](const char* name) -> const std::string* {
      const auto member = item.is_object() ? item.find(name) : item.end();
      if (!item.is_object() || member == item.end() || item.size() != 1) return nullptr;
      return member->get_ptr<const std::string*>();
    };
    if (const std::string* const ref = text("external_ref")) {
      names.push_back({std::nullopt, *ref});
      continue;
    }
    const std::string* const id = text("client");
    const auto parsed = id != nullptr ? vault::ClientId::Parse(*id)
                                      : Result<vault::ClientId>(Fail(Code::kNotFound, "not_found"));
    if (!parsed) {
      return input.Invalid(at, "must have a client's id as \"client\", or an \"external_ref\"");
    }
    names.push_back({*parsed, {}});
  }
  return names;
}

Result<Reply> ListAssignments(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto assignments, service.vault.ListAssignments(call.caller, client));
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
  COFFER_ASSIGN(const auto assignment, service.vault.Assign(call.caller, client, principal, terms));
  return WithNames(service, call, RenderOne(assignment));
}

Result<Reply> DeleteAssignment(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  const auto principal = vault::PrincipalId::Parse(call.segments[1]);
  if (!principal) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_TRY(service.vault.Unassign(call.caller, client, *principal));
  return Reply{204, "", "", {}};
}

Result<Reply> ListAssignmentsOf(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentRead);
  const auto principal = vault::PrincipalId::Parse(call.Query("principal"));
  if (!principal) return input.InvalidParameter("principal", "must be the id of a principal");
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto assignments,
                AtQuery(service.vault.ListAssignmentsOf(call.caller, *principal, page)));
  return WithClientNames(service, call, RenderList(assignments.items, assignments.next_cursor));
}

Result<Reply> AssignClients(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentWrite);
  COFFER_ASSIGN(const json object, input.Object({"principal", "clients", "starts", "ends"}));
  COFFER_ASSIGN(const auto principal, input.Principal(object, "principal"));
  COFFER_ASSIGN(const auto clients, ClientNames(input, object, true));
  vault::AssignmentTerms terms;
  COFFER_ASSIGN(terms.starts, input.Time(object, "starts"));
  COFFER_ASSIGN(terms.ends, input.Time(object, "ends"));
  COFFER_ASSIGN(const auto answers,
                service.vault.AssignMany(call.caller, clients, principal, terms));
  return WithNames(service, call, RenderOne(answers));
}

Result<Reply> HandOverClients(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentWrite);
  COFFER_ASSIGN(const json object, input.Object({"from", "to", "clients", "cursor"}));
  vault::HandOverRequest request;
  COFFER_ASSIGN(request.from, input.Principal(object, "from"));
  COFFER_ASSIGN(request.to, input.Principal(object, "to"));
  COFFER_ASSIGN(request.clients, ClientNames(input, object, false));
  COFFER_ASSIGN(request.page.cursor, input.Text(object, "cursor", false));
  if (!request.clients.empty() && !request.page.cursor.empty()) {
    return input.Invalid("/cursor", "cannot stand beside clients");
  }
  request.page.limit = vault::kMostAssigned;
  COFFER_ASSIGN(const auto done, service.vault.HandOver(call.caller, request));
  return WithNames(service, call, RenderOne(done));
}

json Answered(const vault::AssignedClient& client) {
  json object = json::object();
  if (client.name.id) object["client"] = client.name.id->Text();
  PutText(object, "external_ref", client.name.external_ref);
  if (client.assignment) {
    object["client"] = client.assignment->client.Text();
    object["outcome"] = client.assignment->changed ? "assigned" : "unchanged";
    std::string assignment;
    Append(assignment, *client.assignment);
    object["assignment"] = json::parse(assignment);
    return object;
  }
  object["outcome"] = "refused";
  object["code"] = client.error->reason;
  if (!client.error->issues.empty()) object["message"] = client.error->issues.front().message;
  return object;
}

json Answered(const std::vector<vault::AssignedClient>& clients) {
  json items = json::array();
  for (const auto& client : clients) items.push_back(Answered(client));
  return items;
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Assignment& assignment) {
  object.Text("client", assignment.client.Text());
  object.Text("principal", assignment.principal.Text());
  object.Time("starts", assignment.starts);
  if (assignment.ends) object.Time("ends", *assignment.ends);
  object.Text("given_by", assignment.given_by.Text());
}

void WriteMembers(ObjectWriter& object, const std::vector<vault::AssignedClient>& clients) {
  object.Json("items", Answered(clients));
}

void WriteMembers(ObjectWriter& object, const vault::HandedOver& done) {
  object.Json("items", Answered(done.clients));
  if (!done.next_cursor.empty()) object.Text("next_cursor", done.next_cursor);
  object.Number("skipped", done.skipped);
}

std::span<const Route> AssignmentRoutes() {
  using enum Method;
  static constexpr std::string_view kAssignmentQuery[] = {"principal", "limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/clients/{client}/assignments", Action::kAssignmentRead, "listAssignments", Body::kNone, {}, ListAssignments},
      {kPut, "/v1/clients/{client}/assignments/{principal}", Action::kAssignmentWrite, "putAssignment", Body::kJson, {}, PutAssignment},
      {kDelete, "/v1/clients/{client}/assignments/{principal}", Action::kAssignmentWrite, "deleteAssignment", Body::kNone, {}, DeleteAssignment},
      {kGet, "/v1/assignments", Action::kAssignmentRead, "listAssignmentsOf", Body::kNone, kAssignmentQuery, ListAssignmentsOf},
      {kPost, "/v1/assignments", Action::kAssignmentWrite, "assignClients", Body::kJson, {}, AssignClients},
      {kPost, "/v1/assignments/hand-over", Action::kAssignmentWrite, "handOverClients", Body::kJson, {}, HandOverClients},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
