#include "api/routes/disclosures.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

Result<vault::DisclosureId> DisclosureInPath(Input& input, const Call& call) {
  const auto id = vault::DisclosureId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

Result<std::optional<vault::RecipientId>> RecipientInQuery(Input& input, const Call& call) {
  const auto text = call.Query("recipient");
  if (text.empty()) return std::nullopt;
  const auto id = vault::RecipientId::Parse(text);
  if (!id) return input.Refuse(id.error());
  return *id;
}

Result<vault::GivenClients> GivenIn(Input& input, const json& object) {
  vault::GivenClients given;
  COFFER_ASSIGN(const auto clients, input.Texts(object, "clients", true));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const auto id = vault::ClientId::Parse(clients[i]);
    if (!id) return input.Invalid("/clients/" + std::to_string(i), "must be the id of a client");
    given.clients.push_back(*id);
  }
  COFFER_ASSIGN(given.classes, input.Texts(object, "classes", false));
  return given;
}

Result<Reply> RecordDisclosure(const Service& service, const Call& call) {
  Input input(service, call, Action::kDisclosureWrite);
  COFFER_ASSIGN(const json object, input.Object({"recipient", "given", "basis", "purpose",
                                                 "channel", "reference", "clients", "classes"}));
  COFFER_ASSIGN(const std::string recipient, input.Text(object, "recipient", true));
  const auto to = vault::RecipientId::Parse(recipient);
  if (!to) return input.Invalid("/recipient", "must be the id of a recipient");
  vault::DisclosureFacts facts;
  COFFER_ASSIGN(facts.given, input.Time(object, "given"));
  COFFER_ASSIGN(facts.basis, input.Text(object, "basis", true));
  COFFER_ASSIGN(facts.purpose, input.Text(object, "purpose", false));
  COFFER_ASSIGN(facts.channel, input.Text(object, "channel", true));
  COFFER_ASSIGN(facts.reference, input.Text(object, "reference", false));
  COFFER_ASSIGN(const auto given, GivenIn(input, object));
  COFFER_ASSIGN(const auto disclosure,
                service.vault.disclosures().RecordDisclosure(call.caller, *to, facts, given));
  Reply reply = WithNames(service, call, RenderOne(disclosure, 201));
  reply.headers.emplace_back("Location", "/v1/disclosures/" + disclosure.id.Text());
  return reply;
}

Result<Reply> AddClients(const Service& service, const Call& call) {
  Input input(service, call, Action::kDisclosureWrite);
  COFFER_ASSIGN(const auto id, DisclosureInPath(input, call));
  COFFER_ASSIGN(const json object, input.Object({"clients", "classes"}));
  COFFER_ASSIGN(const auto given, GivenIn(input, object));
  COFFER_ASSIGN(const auto disclosure,
                service.vault.disclosures().AddClients(call.caller, id, given));
  return WithNames(service, call, RenderOne(disclosure));
}

Result<Reply> ListDisclosures(const Service& service, const Call& call) {
  Input input(service, call, Action::kDisclosureRead);
  COFFER_ASSIGN(const auto recipient, RecipientInQuery(input, call));
  std::optional<vault::ClientId> client;
  if (const auto text = call.Query("client"); !text.empty()) {
    const auto id = vault::ClientId::Parse(text);
    if (!id) return input.Refuse(id.error());
    client = *id;
  }
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto disclosures,
                service.vault.disclosures().ListDisclosures(call.caller, recipient, client, page));
  return WithNames(service, call, RenderList(disclosures.items, disclosures.next_cursor));
}

Result<Reply> GetDisclosure(const Service& service, const Call& call) {
  Input input(service, call, Action::kDisclosureRead);
  COFFER_ASSIGN(const auto id, DisclosureInPath(input, call));
  COFFER_ASSIGN(const auto disclosure, service.vault.disclosures().GetDisclosure(call.caller, id));
  return WithNames(service, call, RenderOne(disclosure));
}

Result<Reply> ListDisclosedClients(const Service& service, const Call& call) {
  Input input(service, call, Action::kDisclosureRead);
  COFFER_ASSIGN(const auto id, DisclosureInPath(input, call));
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto clients, service.vault.disclosures().ListClients(call.caller, id, page));
  return RenderList(clients.items, clients.next_cursor);
}

Result<Reply> ListToTell(const Service& service, const Call& call) {
  Input input(service, call, Action::kDisclosureRead);
  COFFER_ASSIGN(const auto recipient, RecipientInQuery(input, call));
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto found,
                service.vault.tellings().ListToTell(call.caller, recipient, page));
  return RenderOne(found);
}

Result<Reply> ListRecipientsToTell(const Service& service, const Call& call) {
  Input input(service, call, Action::kDisclosureRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto found, service.vault.tellings().RecipientsOf(call.caller, client));
  return WithNames(service, call, RenderOne(found));
}

void WriteClasses(ObjectWriter& object, const vault::DisclosedClient& client) {
  if (client.known) object.Texts("classes", client.classes);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Disclosure& disclosure) {
  object.Text("id", disclosure.id.Text());
  object.Text("recipient", disclosure.recipient.Text());
  object.Text("source", Name(disclosure.source));
  object.Time("given", disclosure.given);
  if (!disclosure.basis.empty()) object.Text("basis", disclosure.basis);
  if (!disclosure.purpose.empty()) object.Text("purpose", disclosure.purpose);
  object.Text("channel", disclosure.channel);
  if (!disclosure.reference.empty()) object.Text("reference", disclosure.reference);
  object.Time("recorded", disclosure.recorded);
  object.Text("recorded_by", disclosure.recorded_by.Text());
  object.Number("entry", disclosure.seq);
  object.Number("clients", disclosure.clients);
}

void WriteMembers(ObjectWriter& object, const vault::DisclosedClient& client) {
  object.Text("client", client.client.Text());
  WriteClasses(object, client);
  object.Number("entry", client.seq);
}

void WriteMembers(ObjectWriter& object, const vault::ListedDisclosure& listed) {
  WriteMembers(object, listed.disclosure);
  if (listed.client) object.Object("given_of_client", *listed.client);
}

void WriteMembers(ObjectWriter& object, const vault::Telling& telling) {
  object.Text("client", telling.client.Text());
  object.Text("recipient", telling.recipient.Text());
  object.Text("act", Name(telling.act));
  if (!telling.class_name.empty()) object.Text("class", telling.class_name);
  object.Number("entry", telling.act_seq);
  object.Time("at", telling.act_at);
  if (!telling.told) return;
  const vault::ToldHow& how = *telling.told;
  ObjectWriter told = object.Object("told");
  told.Time("at", how.at);
  told.Text("by", how.by.Text());
  told.Number("entry", how.seq);
  if (!how.channel.empty()) told.Text("channel", how.channel);
  if (!how.reference.empty()) told.Text("reference", how.reference);
  if (!how.not_told.empty()) told.Text("not_told", how.not_told);
}

void WriteMembers(ObjectWriter& object, const vault::TellingPage& page) {
  object.Number("open", page.counts.open);
  object.Number("recipients", page.counts.recipients);
  object.Number("to_settle", page.counts.to_settle);
  object.Objects("items", page.page.items,
                 [](ObjectWriter& item, const vault::Telling& one) { WriteMembers(item, one); });
  if (!page.page.next_cursor.empty()) object.Text("next_cursor", page.page.next_cursor);
}

void WriteMembers(ObjectWriter& object, const vault::ClientRecipients& recipients) {
  object.Flag("reads_known", recipients.reads_known);
  object.Number("to_settle", recipients.to_settle);
  object.Flag("more", recipients.more_disclosures || recipients.more_acts);
  object.Objects("items", recipients.recipients, [](ObjectWriter& item, const auto& one) {
    item.Text("recipient", one.recipient.id.Text());
    item.Text("name", one.recipient.facts.name);
    item.Text("category", one.recipient.facts.category);
    if (!one.recipient.facts.contact.empty()) item.Text("contact", one.recipient.facts.contact);
    item.Text("state", one.recipient.ended ? "ended" : "current");
    item.Number("disclosures", one.disclosures);
    item.Number("reads", one.reads);
    if (one.more_reads) item.Flag("more_reads", true);
    if (one.first_read) item.Number("first_read", *one.first_read);
    if (one.last_read) item.Number("last_read", *one.last_read);
    item.Objects("acts", one.acts, [](ObjectWriter& act, const vault::Telling& telling) {
      WriteMembers(act, telling);
    });
  });
}

std::span<const Route> DisclosureRoutes() {
  using enum Method;
  static constexpr std::string_view kDisclosureQuery[] = {"recipient", "client", "limit", "cursor"};
  static constexpr std::string_view kToTellQuery[] = {"recipient", "limit", "cursor"};
  static constexpr std::string_view kDisclosedQuery[] = {"limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/disclosures", Action::kDisclosureWrite, "recordDisclosure", Body::kJson, {}, RecordDisclosure},
      {kGet, "/v1/disclosures", Action::kDisclosureRead, "listDisclosures", Body::kNone, kDisclosureQuery, ListDisclosures},
      {kGet, "/v1/disclosures/to-tell", Action::kDisclosureRead, "listToTell", Body::kNone, kToTellQuery, ListToTell},
      {kGet, "/v1/disclosures/{disclosure}", Action::kDisclosureRead, "getDisclosure", Body::kNone, {}, GetDisclosure},
      {kGet, "/v1/disclosures/{disclosure}/clients", Action::kDisclosureRead, "listDisclosedClients", Body::kNone, kDisclosedQuery, ListDisclosedClients},
      {kPost, "/v1/disclosures/{disclosure}/clients", Action::kDisclosureWrite, "addDisclosedClients", Body::kJson, {}, AddClients},
      {kGet, "/v1/clients/{client}/recipients-to-tell", Action::kDisclosureRead, "listRecipientsToTell", Body::kNone, {}, ListRecipientsToTell},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
