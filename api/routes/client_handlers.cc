#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/http/query.h"
#include "api/routes/handlers.h"
#include "api/routes/render.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr const char* kErasedBefore = "erased_before";
constexpr std::string_view kAccept = "accept";

// `before`: there is something that "" can take away.
Result<vault::ClientChange> ReadChange(Input& input, bool before) {
  COFFER_ASSIGN(const json object,
                input.Object({"external_ref", "tags", "relationship_end", kErasedBefore}));
  vault::ClientChange change;
  if (object.contains("external_ref")) {
    COFFER_ASSIGN(std::string reference, input.AnyText(object, "external_ref"));
    if (IsBlank(reference) && !(before && reference.empty())) {
      return input.Invalid("/external_ref", "must not be empty");
    }
    change.external_ref = std::move(reference);
  }
  if (const auto tags = object.find("tags"); tags != object.end()) {
    const bool texts =
        tags->is_array() &&
        std::all_of(tags->begin(), tags->end(), [](const json& tag) { return tag.is_string(); });
    if (!texts) {
      return input.Refuse(
          {Code::kUnprocessable, "client_invalid", {}, {{"/tags", "must be a list of texts"}}});
    }
    change.tags = tags->get<std::vector<std::string>>();
  }
  if (const auto end = object.find("relationship_end"); end != object.end()) {
    change.relationship_end.emplace();
    if (!end->is_null()) {
      COFFER_ASSIGN(*change.relationship_end, input.Time(object, "relationship_end"));
      if (!*change.relationship_end) {
        return input.Invalid("/relationship_end", "must be an RFC 3339 date-time, or null");
      }
    }
  }
  COFFER_ASSIGN(const auto erased, input.Text(object, kErasedBefore, false));
  if (object.contains(kErasedBefore) && erased != kAccept) {
    return input.Refuse({Code::kUnprocessable,
                         "client_invalid",
                         {},
                         {{"/erased_before", "must be \"accept\", or left out"}}});
  }
  change.accept_erased = erased == kAccept;
  return change;
}

}  // namespace

Result<Reply> CreateClient(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientCreate);
  COFFER_ASSIGN(const auto change, ReadChange(input, false));
  COFFER_ASSIGN(const auto client, service.vault.clients().CreateClient(
                                       call.caller, change, {call.idempotency_key, call.body}));
  Reply reply = RenderOne(client, 201);
  reply.headers.emplace_back("Location", "/v1/clients/" + client.id.Text());
  reply.headers.emplace_back("ETag", EntityTag(client.version));
  return reply;
}

Result<Reply> ListClients(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientList);
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto clients, service.vault.clients().ListClients(
                                        call.caller, call.Query("tag"), call.Query("class"), page));
  return RenderList(clients.items, clients.next_cursor);
}

Result<Reply> SearchClients(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientSearch);
  COFFER_ASSIGN(const json object,
                input.Object({"class", "field", "value", "external_ref", "limit", "cursor"}));
  if (object.contains("external_ref")) {
    if (object.size() != 1) {
      return input.Refuse({Code::kUnprocessable,
                           "search_invalid",
                           {},
                           {{"/external_ref", "stands alone, without class, field and value"}}});
    }
    COFFER_ASSIGN(const auto external_ref, input.Text(object, "external_ref", true));
    COFFER_ASSIGN(const auto hits,
                  service.vault.searches().SearchByReference(call.caller, external_ref));
    return RenderList(hits.items, hits.next_cursor);
  }
  COFFER_ASSIGN(const auto class_name, input.Text(object, "class", true));
  COFFER_ASSIGN(const auto field, input.Text(object, "field", true));
  COFFER_ASSIGN(const auto value, input.Text(object, "value", true));
  vault::PageRequest page;
  COFFER_ASSIGN(page.cursor, input.Text(object, "cursor", false));
  COFFER_ASSIGN(const auto limit, input.Number(object, "limit"));
  if (limit && (*limit == 0 || *limit > 200)) {
    return input.Refuse(
        {Code::kUnprocessable, "search_invalid", {}, {{"/limit", "must be between 1 and 200"}}});
  }
  if (limit) page.limit = *limit;
  COFFER_ASSIGN(const auto hits, service.vault.searches().SearchByField(call.caller, class_name,
                                                                        field, value, page));
  return RenderSearch(hits);
}

Result<Reply> GetClient(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientRead);
  COFFER_ASSIGN(const auto id, input.Client());
  COFFER_ASSIGN(const auto client, service.vault.clients().GetClient(call.caller, id));
  Reply reply = RenderOne(client);
  reply.headers.emplace_back("ETag", EntityTag(client.version));
  return reply;
}

Result<Reply> UpdateClient(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientUpdate);
  COFFER_ASSIGN(const auto id, input.Client());
  COFFER_ASSIGN(const auto version, input.IfMatch(true));
  COFFER_ASSIGN(const auto change, ReadChange(input, true));
  COFFER_ASSIGN(const auto client,
                service.vault.clients().UpdateClient(call.caller, id, *version, change));
  Reply reply = RenderOne(client);
  reply.headers.emplace_back("ETag", EntityTag(client.version));
  return reply;
}

}  // namespace coffer::api
