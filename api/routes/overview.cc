#include "api/routes/overview.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using vault::Action;

constexpr std::string_view kClientInRoute = "{client}";

std::string RouteFor(vault::OverviewPart part, const vault::ClientId& client) {
  std::string route(RouteOf(part));
  const auto at = route.find(kClientInRoute);
  if (at != route.npos) route.replace(at, kClientInRoute.size(), client.Text());
  return route;
}

void WriteItem(ObjectWriter& object, const vault::OverviewItem& item) {
  if (!item.id.empty()) object.Text("id", item.id);
  if (!item.what.empty()) object.Text("what", item.what);
  if (!item.state.empty()) object.Text("state", item.state);
  if (item.at) object.Time("at", *item.at);
  if (item.until) object.Time("until", *item.until);
  if (item.entry) object.Number("entry", *item.entry);
  if (item.principal) object.Text("principal", item.principal->Text());
  if (item.count) object.Number("count", *item.count);
  if (!item.detail.empty()) object.Text("detail", item.detail);
}

void WritePart(ObjectWriter& object, const vault::OverviewList& list, const std::string& route) {
  object.Flag("withheld", list.withheld);
  if (!route.empty()) object.Text("all", route);
  if (list.withheld) return;
  object.Flag("more", list.more);
  object.Objects("items", list.items, WriteItem);
}

void WriteAccesses(ObjectWriter& object, const vault::AccessSummary& accesses,
                   const vault::ClientId& client) {
  object.Flag("withheld", accesses.withheld);
  object.Text("all", "/v1/clients/" + client.Text() + "/access-log");
  if (accesses.withheld) return;
  object.Flag("known", accesses.known);
  if (!accesses.known) return;
  object.Flag("more", accesses.more);
  object.Number("days", static_cast<std::uint64_t>(vault::kAccessDays));
  object.Number("reads", accesses.reads);
  object.Number("principals", accesses.principals);
  if (!accesses.last) return;
  ObjectWriter last = object.Object("last");
  WriteItem(last, *accesses.last);
}

Result<Reply> GetClientOverview(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientOverview);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto overview,
                service.vault.client_overviews().GetOverview(call.caller, client));
  return WithNames(service, call, RenderOne(overview));
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::ClientOverview& overview) {
  object.Text("client", overview.client.Text());
  object.Text("state", overview.erased ? "erased" : "active");
  if (overview.created) object.Time("created", *overview.created);
  if (overview.updated) object.Time("updated", *overview.updated);
  if (overview.version > 0) object.Number("version", overview.version);
  if (overview.relationship_end) object.Time("relationship_end", *overview.relationship_end);
  object.Objects("classes", overview.classes, [](ObjectWriter& item, const auto& one) {
    item.Text("class", one.name);
    item.Number("records", one.records);
  });
  object.Number("records", overview.records);
  if (overview.hidden > 0) object.Number("hidden", overview.hidden);
  object.Number("old_versions", overview.old_versions);
  if (overview.more_versions) object.Flag("more_versions", true);
  for (std::size_t i = 0; i < vault::kOverviewParts; ++i) {
    const auto part = static_cast<vault::OverviewPart>(i);
    ObjectWriter written = object.Object(Name(part));
    WritePart(written, overview.parts[i], RouteFor(part, overview.client));
  }
  ObjectWriter accesses = object.Object("accesses");
  WriteAccesses(accesses, overview.accesses, overview.client);
}

std::span<const Route> OverviewRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/clients/{client}/overview", Action::kClientOverview, "getClientOverview", Body::kNone, {}, GetClientOverview},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
