#include "api/routes/consents.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"
#include "crypto/encoding.h"
#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::size_t kMaxConsentText = 32 * 1024;

// An object inside the body, with only these members.
Status RequireMembers(Input& input, const json& value, const std::string& at,
                      std::initializer_list<std::string_view> members) {
  if (!value.is_object()) return input.Invalid(at, "must be an object");
  for (const auto& [name, member] : value.items()) {
    if (std::ranges::find(members, name) == members.end()) {
      return input.Invalid(vault::PointerTo(at, name), "is not a known member");
    }
  }
  return {};
}

Result<std::string> TextAt(Input& input, const json& object, const std::string& at,
                           const char* name, std::size_t most) {
  const auto found = object.find(name);
  const std::string pointer = at + "/" + name;
  if (found == object.end()) return input.Invalid(pointer, "is required");
  if (!found->is_string()) return input.Invalid(pointer, "must be text");
  if (found->get_ref<const std::string&>().size() > most) {
    return input.Invalid(pointer, "must be at most " + std::to_string(most) + " bytes");
  }
  return found->get<std::string>();
}

Result<vault::ShownWording> ShownIn(Input& input, const json& object,
                                    std::optional<crypto::Hash>& sha256) {
  const auto found = object.find("text");
  if (found == object.end()) return input.Invalid("/text", "is required");
  COFFER_TRY(RequireMembers(input, *found, "/text", {"name", "version", "language", "sha256"}));
  vault::ShownWording shown;
  COFFER_ASSIGN(shown.name, TextAt(input, *found, "/text", "name", kMaxText));
  COFFER_ASSIGN(shown.language, TextAt(input, *found, "/text", "language", kMaxText));
  const auto version = found->find("version");
  if (version == found->end()) return input.Invalid("/text/version", "is required");
  if (!version->is_number_unsigned() || version->get<std::uint64_t>() > (std::uint64_t{1} << 53)) {
    return input.Invalid("/text/version", "must be a whole number");
  }
  shown.version = version->get<std::uint64_t>();
  if (!found->contains("sha256")) return shown;
  COFFER_ASSIGN(const std::string hex, TextAt(input, *found, "/text", "sha256", kMaxText));
  const auto bytes = crypto::HexDecode(hex);
  if (!bytes || bytes->size() != crypto::Hash{}.size()) {
    return input.Invalid("/text/sha256", "must be 64 hexadecimal digits");
  }
  std::ranges::copy(*bytes, sha256.emplace().begin());
  return shown;
}

Result<std::vector<vault::ConsentWording>> WordingsIn(Input& input, const json& object) {
  const auto found = object.find("texts");
  if (found == object.end()) return input.Invalid("/texts", "is required");
  if (!found->is_array()) return input.Invalid("/texts", "must be a list of objects");
  std::vector<vault::ConsentWording> wordings;
  for (const json& item : *found) {
    const std::string at = "/texts/" + std::to_string(wordings.size());
    COFFER_TRY(RequireMembers(input, item, at, {"language", "text"}));
    auto& wording = wordings.emplace_back();
    COFFER_ASSIGN(wording.language, TextAt(input, item, at, "language", kMaxText));
    COFFER_ASSIGN(wording.text, TextAt(input, item, at, "text", kMaxConsentText));
  }
  return wordings;
}

Result<vault::ConsentId> ConsentInPath(Input& input, const Call& call) {
  const auto id = vault::ConsentId::Parse(call.segments[1]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

Result<Reply> ListConsentTexts(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto texts, service.vault.consent_texts().ListConsentTexts(call.caller));
  return WithNames(service, call, RenderList(texts));
}

Result<Reply> GetConsentText(const Service& service, const Call& call) {
  Input input(service, call, Action::kConsentTextRead);
  COFFER_ASSIGN(const auto version, input.QueryNumber("version", std::uint64_t{1} << 53));
  COFFER_ASSIGN(const auto text, service.vault.consent_texts().GetConsentText(
                                     call.caller, call.segments[0], version));
  return WithNames(service, call, RenderOne(text));
}

Result<Reply> PutConsentText(const Service& service, const Call& call) {
  Input input(service, call, Action::kConsentTextWrite);
  COFFER_ASSIGN(const json object, input.Object({"texts", "minimum_age", "shown_since"}));
  vault::ConsentTextRequest request;
  COFFER_ASSIGN(request.wordings, WordingsIn(input, object));
  COFFER_ASSIGN(request.minimum_age, input.Number(object, "minimum_age"));
  COFFER_ASSIGN(request.shown_since, input.Time(object, "shown_since"));
  COFFER_ASSIGN(const auto text, service.vault.consent_texts().PutConsentText(
                                     call.caller, call.segments[0], request));
  return WithNames(service, call, RenderOne(text));
}

Result<Reply> ListConsents(const Service& service, const Call& call) {
  Input input(service, call, Action::kConsentRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto consents, service.vault.consents().ListConsents(call.caller, client));
  return WithNames(service, call, RenderList(consents));
}

Result<Reply> GiveConsent(const Service& service, const Call& call) {
  Input input(service, call, Action::kConsentWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const json object, input.Object({"purpose", "text", "given", "channel", "evidence",
                                                 "authority", "of_age", "expires"}));
  vault::ConsentRequest request;
  COFFER_ASSIGN(request.purpose, input.Text(object, "purpose", true));
  COFFER_ASSIGN(request.text, ShownIn(input, object, request.sha256));
  COFFER_ASSIGN(request.given, input.Time(object, "given"));
  COFFER_ASSIGN(request.channel, input.Text(object, "channel", true));
  COFFER_ASSIGN(request.evidence, input.Text(object, "evidence", true));
  COFFER_ASSIGN(request.authority, input.Text(object, "authority", false));
  if (object.contains("of_age")) {
    COFFER_ASSIGN(request.of_age, input.Flag(object, "of_age"));
  }
  COFFER_ASSIGN(request.expires, input.Time(object, "expires"));
  const auto told = service.vault.consents().GiveConsent(call.caller, client, request);
  if (!told) return std::unexpected(told.error());
  Reply reply = WithNames(service, call, RenderOne(*told, 201));
  reply.headers.emplace_back(
      "Location", "/v1/clients/" + client.Text() + "/consents/" + told->consent.id.Text());
  return reply;
}

Result<Reply> GetConsent(const Service& service, const Call& call) {
  Input input(service, call, Action::kConsentRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, ConsentInPath(input, call));
  COFFER_ASSIGN(const auto told, service.vault.consents().GetConsent(call.caller, client, id));
  return WithNames(service, call, RenderOne(told));
}

Result<Reply> WithdrawConsent(const Service& service, const Call& call) {
  Input input(service, call, Action::kConsentWrite);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, ConsentInPath(input, call));
  COFFER_ASSIGN(const json object, input.Object({"channel"}));
  COFFER_ASSIGN(const std::string name, input.Text(object, "channel", false));
  std::optional<vault::ConsentChannel> channel;
  if (!name.empty()) {
    channel = vault::ConsentChannelFromName(name);
    if (!channel) {
      return input.Invalid("/channel", "must be one of " + std::string(vault::kConsentChannels));
    }
  }
  COFFER_ASSIGN(const auto told,
                service.vault.consents().WithdrawConsent(call.caller, client, id, channel));
  return WithNames(service, call, RenderOne(told));
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::ConsentText& text) {
  object.Text("name", text.name);
  object.Number("version", text.version);
  object.Objects("texts", text.wordings, [](ObjectWriter& row, const auto& wording) {
    row.Text("language", wording.language);
    if (!wording.text.empty()) row.Text("text", wording.text);
    row.Text("sha256", crypto::HexEncode(wording.sha256));
  });
  if (text.minimum_age) object.Number("minimum_age", *text.minimum_age);
  object.Time("shown_since", text.shown_since);
  object.Time("created", text.created);
  object.Text("put_by", text.put_by.Text());
}

void WriteMembers(ObjectWriter& object, const vault::ToldConsent& told) {
  const vault::Consent& consent = told.consent;
  object.Text("id", consent.id.Text());
  object.Text("client", consent.client.Text());
  object.Text("purpose", consent.purpose);
  object.Text("state", told.stands ? "stands" : consent.withdrawal ? "withdrawn" : "expired");
  {
    ObjectWriter text = object.Object("text");
    text.Text("name", consent.text.name);
    text.Number("version", consent.text.version);
    text.Text("language", consent.text.language);
    text.Text("sha256", crypto::HexEncode(consent.sha256));
  }
  object.Time("given", consent.given);
  object.Text("channel", vault::Name(consent.channel));
  object.Text("given_by", consent.by_client ? "client" : "representative");
  if (!consent.authority.empty()) object.Text("authority", consent.authority);
  if (!consent.evidence.empty()) object.Text("evidence", consent.evidence);
  if (consent.of_age) object.Flag("of_age", *consent.of_age);
  if (consent.expires) object.Time("expires", *consent.expires);
  object.Time("recorded", consent.recorded);
  object.Text("recorded_by", consent.recorded_by.Text());
  object.Number("entry", consent.seq);
  object.Text("statement", vault::StatementOf(consent));
  if (const auto& withdrawal = consent.withdrawal) {
    ObjectWriter row = object.Object("withdrawal");
    row.Time("withdrawn", withdrawal->withdrawn);
    if (withdrawal->channel) row.Text("channel", vault::Name(*withdrawal->channel));
    row.Text("recorded_by", withdrawal->recorded_by.Text());
    row.Number("entry", withdrawal->seq);
    row.Text("statement", vault::WithdrawalStatementOf(consent));
  }
}

std::span<const Route> ConsentRoutes() {
  using enum Method;
  static constexpr std::string_view kTextQuery[] = {"version"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/consent-texts", Action::kConsentTextRead, "listConsentTexts", Body::kNone, {}, ListConsentTexts},
      {kGet, "/v1/consent-texts/{name}", Action::kConsentTextRead, "getConsentText", Body::kNone, kTextQuery, GetConsentText},
      {kPut, "/v1/consent-texts/{name}", Action::kConsentTextWrite, "putConsentText", Body::kJson, {}, PutConsentText},
      {kGet, "/v1/clients/{client}/consents", Action::kConsentRead, "listConsents", Body::kNone, {}, ListConsents},
      {kPost, "/v1/clients/{client}/consents", Action::kConsentWrite, "giveConsent", Body::kJson, {}, GiveConsent},
      {kGet, "/v1/clients/{client}/consents/{consent}", Action::kConsentRead, "getConsent", Body::kNone, {}, GetConsent},
      {kPost, "/v1/clients/{client}/consents/{consent}/withdrawal", Action::kConsentWrite, "withdrawConsent", Body::kJson, {}, WithdrawConsent},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
