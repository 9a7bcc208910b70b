#include "api/routes/recipients.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::uint64_t kMostEntry = std::uint64_t{1} << 53;

Result<vault::RecipientId> RecipientInPath(Input& input, const Call& call) {
  const auto id = vault::RecipientId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

Result<vault::PrincipalId> PrincipalInPath(Input& input, const Call& call) {
  const auto id = vault::PrincipalId::Parse(call.segments[1]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

Result<vault::RecipientFacts> FactsIn(Input& input) {
  COFFER_ASSIGN(const json object, input.Object({"name", "category", "contact", "country",
                                                 "safeguard", "contract", "since", "until"}));
  vault::RecipientFacts facts;
  COFFER_ASSIGN(facts.name, input.Text(object, "name", true));
  COFFER_ASSIGN(facts.category, input.Text(object, "category", true));
  COFFER_ASSIGN(facts.contact, input.Text(object, "contact", false));
  COFFER_ASSIGN(facts.country, input.Text(object, "country", false));
  COFFER_ASSIGN(facts.safeguard, input.Text(object, "safeguard", false));
  COFFER_ASSIGN(facts.contract, input.Text(object, "contract", false));
  COFFER_ASSIGN(facts.since, input.Text(object, "since", false));
  COFFER_ASSIGN(facts.until, input.Text(object, "until", false));
  return facts;
}

Result<Reply> ShowRecipient(const Service& service, const Call& call,
                            const Result<vault::Recipient>& recipient, int status = 200) {
  if (!recipient) return std::unexpected(recipient.error());
  return WithNames(service, call, RenderOne(*recipient, status));
}

Result<Reply> CreateRecipient(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecipientWrite);
  COFFER_ASSIGN(const auto facts, FactsIn(input));
  const auto recipient = service.vault.recipients().CreateRecipient(call.caller, facts);
  COFFER_ASSIGN(Reply reply, ShowRecipient(service, call, recipient, 201));
  reply.headers.emplace_back("Location", "/v1/recipients/" + recipient->id.Text());
  return reply;
}

Result<Reply> ChangeRecipient(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecipientWrite);
  COFFER_ASSIGN(const auto id, RecipientInPath(input, call));
  COFFER_ASSIGN(const auto facts, FactsIn(input));
  return ShowRecipient(service, call,
                       service.vault.recipients().ChangeRecipient(call.caller, id, facts));
}

Result<Reply> EndRecipient(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecipientWrite);
  COFFER_ASSIGN(const auto id, RecipientInPath(input, call));
  return ShowRecipient(service, call, service.vault.recipients().EndRecipient(call.caller, id));
}

Result<Reply> BindPrincipal(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecipientWrite);
  COFFER_ASSIGN(const auto id, RecipientInPath(input, call));
  COFFER_ASSIGN(const auto principal, PrincipalInPath(input, call));
  return ShowRecipient(service, call,
                       service.vault.recipients().BindPrincipal(call.caller, id, principal));
}

Result<Reply> UnbindPrincipal(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecipientWrite);
  COFFER_ASSIGN(const auto id, RecipientInPath(input, call));
  COFFER_ASSIGN(const auto principal, PrincipalInPath(input, call));
  return ShowRecipient(service, call,
                       service.vault.recipients().UnbindPrincipal(call.caller, id, principal));
}

Result<Reply> GetRecipient(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecipientRead);
  COFFER_ASSIGN(const auto id, RecipientInPath(input, call));
  return ShowRecipient(service, call, service.vault.recipients().GetRecipient(call.caller, id));
}

Result<Reply> ListRecipients(const Service& service, const Call& call) {
  using enum vault::RecipientsAsked;
  Input input(service, call, Action::kRecipientRead);
  const auto state = call.Query("state");
  if (!state.empty() && state != "current" && state != "ended") {
    return input.InvalidParameter("state", "must be current or ended");
  }
  const auto asked = state.empty() ? kAll : state == "ended" ? kEnded : kCurrent;
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto recipients,
                service.vault.recipients().ListRecipients(call.caller, asked, page));
  return WithNames(service, call, RenderList(recipients.items, recipients.next_cursor));
}

Result<Reply> TellRecipient(const Service& service, const Call& call) {
  Input input(service, call, Action::kDisclosureWrite);
  COFFER_ASSIGN(const auto id, RecipientInPath(input, call));
  COFFER_ASSIGN(const json object,
                input.Object({"client", "until", "at", "channel", "reference", "not_told"}));
  vault::TellingFacts facts;
  COFFER_ASSIGN(facts.client, input.ClientIn(object, false));
  COFFER_ASSIGN(facts.until, input.Number(object, "until"));
  if (facts.until && *facts.until > kMostEntry) {
    return input.Invalid("/until", "must be the number of an entry");
  }
  COFFER_ASSIGN(facts.at, input.Time(object, "at"));
  COFFER_ASSIGN(facts.channel, input.Text(object, "channel", false));
  COFFER_ASSIGN(facts.reference, input.Text(object, "reference", false));
  COFFER_ASSIGN(facts.not_told, input.Text(object, "not_told", false));
  COFFER_ASSIGN(const auto result, service.vault.tellings().TellRecipient(call.caller, id, facts));
  return RenderOne(result);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Recipient& recipient) {
  const vault::RecipientFacts& facts = recipient.facts;
  object.Text("id", recipient.id.Text());
  object.Text("state", recipient.ended ? "ended" : "current");
  object.Text("name", facts.name);
  object.Text("category", facts.category);
  if (!facts.contact.empty()) object.Text("contact", facts.contact);
  if (!facts.country.empty()) object.Text("country", facts.country);
  if (!facts.safeguard.empty()) object.Text("safeguard", facts.safeguard);
  if (!facts.contract.empty()) object.Text("contract", facts.contract);
  if (!facts.since.empty()) object.Text("since", facts.since);
  if (!facts.until.empty()) object.Text("until", facts.until);
  object.Number("version", recipient.version);
  object.Time("created", recipient.created);
  object.Text("created_by", recipient.created_by.Text());
  if (recipient.ended) object.Time("ended", *recipient.ended);
  std::vector<std::string> principals;
  for (const auto& principal : recipient.principals) principals.push_back(principal.Text());
  object.Texts("principals", principals);
  if (recipient.history.empty()) return;  // in lists
  object.Objects("history", recipient.history, [](ObjectWriter& item, const auto& event) {
    item.Number("number", event.number);
    item.Text("step", Name(event.step));
    item.Time("at", event.at);
    item.Text("by", event.by.Text());
    item.Number("entry", event.seq);
    item.Raw("said", event.document);
  });
}

void WriteMembers(ObjectWriter& object, const vault::TellingResult& result) {
  object.Number("told", result.told);
  object.Number("left", result.left);
}

std::span<const Route> RecipientRoutes() {
  using enum Method;
  static constexpr std::string_view kRecipientQuery[] = {"state", "limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/recipients", Action::kRecipientWrite, "createRecipient", Body::kJson, {}, CreateRecipient},
      {kGet, "/v1/recipients", Action::kRecipientRead, "listRecipients", Body::kNone, kRecipientQuery, ListRecipients},
      {kGet, "/v1/recipients/{recipient}", Action::kRecipientRead, "getRecipient", Body::kNone, {}, GetRecipient},
      {kPut, "/v1/recipients/{recipient}", Action::kRecipientWrite, "changeRecipient", Body::kJson, {}, ChangeRecipient},
      {kPost, "/v1/recipients/{recipient}/end", Action::kRecipientWrite, "endRecipient", Body::kNone, {}, EndRecipient},
      {kPut, "/v1/recipients/{recipient}/principals/{principal}", Action::kRecipientWrite, "bindRecipientPrincipal", Body::kNone, {}, BindPrincipal},
      {kDelete, "/v1/recipients/{recipient}/principals/{principal}", Action::kRecipientWrite, "unbindRecipientPrincipal", Body::kNone, {}, UnbindPrincipal},
      {kPost, "/v1/recipients/{recipient}/told", Action::kDisclosureWrite, "tellRecipient", Body::kJson, {}, TellRecipient},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
