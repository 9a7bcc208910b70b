#include "api/routes/breaches.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"
#include "vault/oversight/breach_clocks.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

Result<vault::BreachId> BreachInPath(Input& input, const Call& call) {
  const auto id = vault::BreachId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

Result<vault::ScopeCriteria> CriteriaIn(Input& input, const json& object) {
  vault::ScopeCriteria criteria;
  COFFER_ASSIGN(criteria.token, input.Text(object, "token", false));
  COFFER_ASSIGN(criteria.principal, input.Text(object, "principal", false));
  COFFER_ASSIGN(criteria.address, input.Text(object, "address", false));
  COFFER_ASSIGN(criteria.from, input.Time(object, "from"));
  COFFER_ASSIGN(criteria.to, input.Time(object, "to"));
  return criteria;
}

Result<vault::BreachFacts> FactsIn(Input& input, const json& object) {
  vault::BreachFacts facts;
  COFFER_ASSIGN(facts.aware, input.Time(object, "aware"));
  COFFER_ASSIGN(facts.occurred_from, input.Time(object, "occurred_from"));
  COFFER_ASSIGN(facts.occurred_to, input.Time(object, "occurred_to"));
  COFFER_ASSIGN(facts.kinds, input.Texts(object, "kinds", false));
  COFFER_ASSIGN(facts.taken, input.Texts(object, "taken", false));
  COFFER_ASSIGN(facts.regimes, input.Texts(object, "regimes", false));
  COFFER_ASSIGN(facts.facts, input.Text(object, "facts", false));
  COFFER_ASSIGN(facts.effects, input.Text(object, "effects", false));
  COFFER_ASSIGN(facts.measures, input.Text(object, "measures", false));
  return facts;
}

Result<Reply> ShowBreach(const Service& service, const Call& call,
                         const Result<vault::Breach>& breach, int status = 200) {
  if (!breach) return std::unexpected(breach.error());
  return WithNames(service, call, RenderOne(*breach, status));
}

Result<Reply> FindBreachScope(const Service& service, const Call& call) {
  Input input(service, call, Action::kBreachScope);
  COFFER_ASSIGN(const json object, input.Object({"token", "principal", "address", "from", "to",
                                                 "limit", "cursor", "record_ids"}));
  COFFER_ASSIGN(const auto criteria, CriteriaIn(input, object));
  vault::ScopePage page;
  COFFER_ASSIGN(page.after, input.Text(object, "cursor", false));
  COFFER_ASSIGN(page.record_ids, input.Flag(object, "record_ids"));
  COFFER_ASSIGN(const auto limit, input.Number(object, "limit"));
  if (limit && (*limit == 0 || *limit > vault::kMostScopeClients)) {
    return input.Invalid("/limit", "must be a number from 1 to 10000");
  }
  if (limit) page.limit = static_cast<std::size_t>(*limit);
  COFFER_ASSIGN(const auto scope,
                service.vault.breach_scopes().FindScope(call.caller, criteria, page));
  return RenderOne(scope);
}

Result<Reply> OpenBreach(const Service& service, const Call& call) {
  Input input(service, call, Action::kBreachWrite);
  COFFER_ASSIGN(const json object,
                input.Object({"aware", "occurred_from", "occurred_to", "kinds", "taken", "regimes",
                              "facts", "effects", "measures"}));
  COFFER_ASSIGN(const auto facts, FactsIn(input, object));
  const auto breach = service.vault.breaches().OpenBreach(call.caller, facts);
  COFFER_ASSIGN(Reply reply, ShowBreach(service, call, breach, 201));
  reply.headers.emplace_back("Location", "/v1/breaches/" + breach->id.Text());
  return reply;
}

Result<Reply> NoteBreach(const Service& service, const Call& call) {
  Input input(service, call, Action::kBreachWrite);
  COFFER_ASSIGN(const auto id, BreachInPath(input, call));
  COFFER_ASSIGN(const json object,
                input.Object({"aware", "occurred_from", "occurred_to", "kinds", "taken", "regimes",
                              "facts", "effects", "measures"}));
  COFFER_ASSIGN(const auto facts, FactsIn(input, object));
  return ShowBreach(service, call, service.vault.breaches().NoteBreach(call.caller, id, facts));
}

Result<Reply> ScopeBreach(const Service& service, const Call& call) {
  Input input(service, call, Action::kBreachScope);
  COFFER_ASSIGN(const auto id, BreachInPath(input, call));
  COFFER_ASSIGN(const json object, input.Object({"token", "principal", "address", "from", "to"}));
  COFFER_ASSIGN(const auto criteria, CriteriaIn(input, object));
  return ShowBreach(service, call, service.vault.breaches().ScopeBreach(call.caller, id, criteria));
}

Result<Reply> NotifyOfBreach(const Service& service, const Call& call) {
  Input input(service, call, Action::kBreachWrite);
  COFFER_ASSIGN(const auto id, BreachInPath(input, call));
  COFFER_ASSIGN(const json object,
                input.Object({"whom", "regime", "stage", "name", "reference", "at", "delay"}));
  vault::BreachNotice notice;
  COFFER_ASSIGN(notice.whom, input.Text(object, "whom", true));
  COFFER_ASSIGN(notice.regime, input.Text(object, "regime", false));
  COFFER_ASSIGN(notice.stage, input.Text(object, "stage", false));
  COFFER_ASSIGN(notice.name, input.Text(object, "name", true));
  COFFER_ASSIGN(notice.reference, input.Text(object, "reference", false));
  COFFER_ASSIGN(notice.delay, input.Text(object, "delay", false));
  COFFER_ASSIGN(const auto at, input.Time(object, "at"));
  if (!at) return input.Invalid("/at", "is required");
  notice.at = *at;
  return ShowBreach(service, call,
                    service.vault.breaches().NotifyOfBreach(call.caller, id, notice));
}

Result<Reply> CloseBreach(const Service& service, const Call& call) {
  Input input(service, call, Action::kBreachWrite);
  COFFER_ASSIGN(const auto id, BreachInPath(input, call));
  COFFER_ASSIGN(const json object, input.Object({"conclusion", "not_notified"}));
  vault::BreachClosing closing;
  COFFER_ASSIGN(closing.conclusion, input.Text(object, "conclusion", true));
  COFFER_ASSIGN(closing.not_notified, input.Text(object, "not_notified", false));
  return ShowBreach(service, call, service.vault.breaches().CloseBreach(call.caller, id, closing));
}

Result<Reply> GetBreach(const Service& service, const Call& call) {
  Input input(service, call, Action::kBreachRead);
  COFFER_ASSIGN(const auto id, BreachInPath(input, call));
  return ShowBreach(service, call, service.vault.breaches().GetBreach(call.caller, id));
}

Result<Reply> ListBreaches(const Service& service, const Call& call) {
  Input input(service, call, Action::kBreachRead);
  const auto state = call.Query("state");
  if (!state.empty() && state != "open" && state != "closed") {
    return input.InvalidParameter("state", "must be open or closed");
  }
  const auto asked = state.empty()     ? vault::BreachesAsked::kAll
                     : state == "open" ? vault::BreachesAsked::kOpen
                                       : vault::BreachesAsked::kClosed;
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto breaches,
                service.vault.breaches().ListBreaches(call.caller, asked, page));
  return WithNames(service, call, RenderList(breaches.items, breaches.next_cursor));
}

std::vector<std::string> NamesOf(vault::Ways ways) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < vault::kWays; ++i) {
    const auto way = static_cast<vault::Way>(i);
    if (ways.Has(way)) names.emplace_back(Name(way));
  }
  return names;
}

void WriteClient(ObjectWriter& object, const vault::ScopeClient& client, bool record_ids) {
  object.Text("client", client.id.Text());
  object.Flag("erased", client.erased);
  object.Texts("jurisdictions", client.jurisdictions);
  object.Texts("ways", NamesOf(client.ways));
  object.Number("entries", client.entries);
  object.Number("possible", client.possible);
  object.Time("first", client.first);
  object.Time("last", client.last);
  object.Texts("purposes", client.purposes);
  object.Objects("classes", client.classes, [&](ObjectWriter& item, const auto& one) {
    if (!one.class_name.empty()) item.Text("class", one.class_name);
    item.Texts("ways", NamesOf(one.ways));
    item.Number("entries", one.entries);
    item.Number("records", one.records);
    item.Texts("fields", one.fields);
    if (!record_ids) return;
    std::vector<std::string> ids;
    for (const auto& id : one.record_ids) ids.push_back(id.Text());
    item.Texts("record_ids", ids);
  });
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::BreachScope& scope) {
  {
    ObjectWriter criteria = object.Object("criteria");
    const vault::ScopeCriteria& asked = scope.criteria;
    if (!asked.token.empty()) criteria.Text("token", asked.token);
    if (!asked.principal.empty()) criteria.Text("principal", asked.principal);
    if (!asked.address.empty()) criteria.Text("address", asked.address);
    if (asked.from) criteria.Time("from", *asked.from);
    if (asked.to) criteria.Time("to", *asked.to);
  }
  object.Number("size", scope.size);
  object.Number("first_seq", scope.first_seq);
  object.Number("searched", scope.searched);
  object.Number("matched", scope.matched);
  object.Number("denied", scope.denied);
  object.Number("failed", scope.failed);
  object.Number("entries", scope.entries);
  object.Number("possible", scope.possible);
  object.Number("without_address", scope.without_address);
  object.Number("unreadable", scope.unreadable);
  object.Flag("exact", scope.exact());
  // Whoever got an answer of the API has it as plain text.
  object.Text("readable", Name(vault::Readable::kPlain));
  object.Number("clients", scope.clients);
  object.Number("disclosed", scope.disclosed);
  object.Number("changed", scope.changed);
  object.Number("erased", scope.erased);
  object.Number("without_jurisdiction", scope.without_jurisdiction);
  object.Objects("jurisdictions", scope.jurisdictions, [](ObjectWriter& item, const auto& one) {
    item.Text("jurisdiction", one.name);
    item.Number("clients", one.count);
  });
  object.Objects("purposes", scope.purposes, [](ObjectWriter& item, const auto& one) {
    item.Text("purpose", one.name);
    item.Number("entries", one.count);
  });
  object.Objects("actions", scope.actions, [](ObjectWriter& item, const auto& one) {
    item.Text("action", one.action);
    item.Text("way", Name(one.way));
    item.Number("entries", one.entries);
    item.Number("without_client", one.without_client);
    item.Flag("exact", one.exact);
  });
  if (scope.first) object.Time("first", *scope.first);
  if (scope.last) object.Time("last", *scope.last);
  object.Objects("items", scope.page, [&](ObjectWriter& item, const auto& client) {
    WriteClient(item, client, scope.with_record_ids);
  });
  if (!scope.next.empty()) object.Text("next_cursor", scope.next);
}

void WriteMembers(ObjectWriter& object, const vault::Breach& breach) {
  const vault::BreachEvent& opened = breach.history.front();
  const vault::BreachFacts& known = breach.known;
  object.Text("id", breach.id.Text());
  object.Text("state", breach.closed ? "closed" : "open");
  object.Time("opened", opened.at);
  object.Text("opened_by", opened.by.Text());
  object.Time("aware", *known.aware);
  if (known.occurred_from) object.Time("occurred_from", *known.occurred_from);
  if (known.occurred_to) object.Time("occurred_to", *known.occurred_to);
  object.Texts("kinds", known.kinds);
  object.Texts("taken", known.taken);
  object.Text("readable", Name(vault::ReadableOf(known.taken)));
  object.Texts("regimes", known.regimes);
  object.Text("facts", known.facts);
  if (!known.effects.empty()) object.Text("effects", known.effects);
  if (!known.measures.empty()) object.Text("measures", known.measures);
  object.Objects("clocks", ClocksOf(breach), [](ObjectWriter& item, const auto& clock) {
    item.Text("regime", clock.duty->regime);
    if (!clock.duty->stage.empty()) item.Text("stage", clock.duty->stage);
    item.Text("article", clock.duty->article);
    item.Time("since", clock.since);
    if (clock.due) item.Time("due", *clock.due);
    if (clock.done) item.Time("done", *clock.done);
    item.Text("state", Name(clock.state));
  });
  object.Objects("history", breach.history, [](ObjectWriter& item, const auto& event) {
    item.Number("number", event.number);
    item.Text("step", Name(event.step));
    item.Time("at", event.at);
    item.Text("by", event.by.Text());
    item.Number("seq", event.seq);
    item.Raw("said", event.document);
  });
  if (breach.closed) {
    object.Time("closed", *breach.closed);
    object.Text("closed_by", breach.history.back().by.Text());
  }
}

std::span<const Route> BreachRoutes() {
  using enum Method;
  static constexpr std::string_view kBreachQuery[] = {"state", "limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/breach-scopes", Action::kBreachScope, "findBreachScope", Body::kJson, {}, FindBreachScope},
      {kPost, "/v1/breaches", Action::kBreachWrite, "openBreach", Body::kJson, {}, OpenBreach},
      {kGet, "/v1/breaches", Action::kBreachRead, "listBreaches", Body::kNone, kBreachQuery, ListBreaches},
      {kGet, "/v1/breaches/{breach}", Action::kBreachRead, "getBreach", Body::kNone, {}, GetBreach},
      {kPost, "/v1/breaches/{breach}/notes", Action::kBreachWrite, "noteBreach", Body::kJson, {}, NoteBreach},
      {kPost, "/v1/breaches/{breach}/scopes", Action::kBreachScope, "scopeBreach", Body::kJson, {}, ScopeBreach},
      {kPost, "/v1/breaches/{breach}/notices", Action::kBreachWrite, "notifyOfBreach", Body::kJson, {}, NotifyOfBreach},
      {kPost, "/v1/breaches/{breach}/close", Action::kBreachWrite, "closeBreach", Body::kJson, {}, CloseBreach},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
