// Many clients at once, what an emergency was used for, and who read how many.
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/names.h"
#include "api/routes/render.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::uint64_t kMaxSeq = std::uint64_t{1} << 53;

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

}  // namespace

Result<Reply> ListAssignmentsOf(const Service& service, const Call& call) {
  Input input(service, call, Action::kAssignmentRead);
  const auto principal = vault::PrincipalId::Parse(call.Query("principal"));
  if (!principal) return input.InvalidParameter("principal", "must be the id of a principal");
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto assignments, AtQuery(service.vault.assignments().ListAssignmentsOf(
                                            call.caller, *principal, page)));
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
                service.vault.caseloads().AssignMany(call.caller, clients, principal, terms));
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
  COFFER_ASSIGN(const auto done, service.vault.caseloads().HandOver(call.caller, request));
  return WithNames(service, call, RenderOne(done));
}

Result<Reply> GetEmergency(const Service& service, const Call& call) {
  Input input(service, call, Action::kEmergencyRead);
  const auto id = vault::EmergencyId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  vault::LogPageRequest page;
  COFFER_ASSIGN(const auto limit, input.QueryNumber("limit", 1000));
  COFFER_ASSIGN(page.start, input.QueryNumber("cursor", kMaxSeq));
  if (limit == 0U) return input.InvalidParameter("limit", "must be at least 1");
  if (limit) page.limit = *limit;
  COFFER_ASSIGN(const auto report,
                service.vault.emergency_reports().GetEmergency(call.caller, *id, page));
  return WithClientNames(service, call, RenderOne(report));
}

Result<Reply> CountReaders(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  COFFER_ASSIGN(const auto from, input.QueryTime("from"));
  COFFER_ASSIGN(const auto to, input.QueryTime("to"));
  if (from && to && *to <= *from) return input.InvalidParameter("to", "must be after from");
  COFFER_ASSIGN(const auto report,
                service.vault.reader_reports().CountReaders(call.caller, from, to));
  return RenderOne(report);
}

}  // namespace coffer::api
