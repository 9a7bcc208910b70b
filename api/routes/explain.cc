#include "api/routes/explain.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

std::string_view Name(vault::View view) {
  switch (view) {
    case vault::View::kPlain:
      return "plain";
    case vault::View::kMasked:
      return "masked";
    case vault::View::kPresence:
      return "presence";
    case vault::View::kNone:
      return "none";
  }
  return "";
}

// Of each field that is plain, what shows it so.
json PlainFields(const vault::AccessAnswer& answer) {
  json fields = json::object();
  for (const auto& [name, sources] : answer.plain) {
    json list = json::array();
    for (const auto& source : sources) {
      switch (source.by) {
        case vault::PlainSource::By::kGrant:
          list.push_back({{"by", "grant"}, {"grant", *source.grant}, {"scope", source.scope}});
          break;
        case vault::PlainSource::By::kLease:
          list.push_back({{"by", "lease"}, {"id", source.id}});
          break;
        case vault::PlainSource::By::kEmergency:
          list.push_back({{"by", "emergency"}, {"id", source.id}});
          break;
      }
    }
    fields[name] = std::move(list);
  }
  return fields;
}

void WriteLease(ObjectWriter& object, const vault::LeaseAnswer& lease) {
  object.Text("id", lease.id);
  object.Flag("open", lease.open);
  if (!lease.open) object.Text("code", lease.reason);
  if (lease.conditions) object.Raw("conditions", *lease.conditions);
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
  COFFER_ASSIGN(const auto answer, service.vault.ExplainAccess(call.caller, question));
  return WithNames(service, call, RenderOne(answer));
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::AccessAnswer& answer) {
  object.Flag("allowed", answer.allowed);
  object.Text("rule", answer.rule);
  if (!answer.allowed) object.Text("code", answer.reason);
  object.Text("role", answer.role);
  object.Number("role_version", answer.role_version);
  object.Numbers("grants", answer.grants);
  if (!answer.leases.empty()) object.Objects("leases", answer.leases, WriteLease);
  if (!answer.assigned_to.empty()) {
    std::vector<std::string> ids;
    for (const auto& id : answer.assigned_to) ids.push_back(id.Text());
    object.Texts("assigned_to", ids);
  }
  if (!answer.plain.empty()) object.Json("plain", PlainFields(answer));
  if (answer.fields.empty()) return;
  ObjectWriter fields = object.Object("fields");
  for (const auto& [name, view] : answer.fields) fields.Text(name, Name(view));
}

std::span<const Route> ExplainRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/access/explain", Action::kAccessExplain, "explainAccess", Body::kJson, {}, ExplainAccess},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
