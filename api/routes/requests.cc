#include "api/routes/requests.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"
#include "vault/rights/request_rules.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::uint64_t kMostSeq = std::uint64_t{1} << 53;
constexpr std::uint64_t kMostDays = 3660;

Result<vault::RequestId> RequestInPath(Input& input, const Call& call) {
  const auto id = vault::RequestId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

constexpr std::string_view kNoKind =
    "must be one of access, portability, rectification, erasure, restriction, objection, "
    "consent_withdrawal, stop_processing, complaint, question";

Result<Reply> RegisterRequest(const Service& service, const Call& call) {
  Input input(service, call, Action::kRequestWrite);
  COFFER_ASSIGN(const json object, input.Object({"kind", "regime", "channel", "received", "client",
                                                 "authority", "words", "attachments"}));
  vault::RequestForm form;
  COFFER_ASSIGN(form.client, input.ClientIn(object, false));
  COFFER_ASSIGN(const std::string name, input.Text(object, "kind", true));
  const auto kind = vault::RequestKindFromName(name);
  if (!kind) return input.Invalid("/kind", std::string(kNoKind));
  form.kind = *kind;
  COFFER_ASSIGN(form.regime, input.Text(object, "regime", true));
  COFFER_ASSIGN(form.channel, input.Text(object, "channel", true));
  COFFER_ASSIGN(const std::string received, input.Text(object, "received", true));
  form.received_day = vault::ParseDay(received);
  const auto time = audit::ParseTimestamp(received, true);
  if (!form.received_day && !time) {
    return input.Invalid("/received", "must be a day (YYYY-MM-DD) or an RFC 3339 time");
  }
  if (time) form.received = *time;
  COFFER_ASSIGN(form.authority, input.Text(object, "authority", false));
  COFFER_ASSIGN(form.words, input.Text(object, "words", false));
  COFFER_ASSIGN(form.attachments, input.Texts(object, "attachments", false));
  COFFER_ASSIGN(const auto request, service.vault.requests().RegisterRequest(call.caller, form));
  Reply reply = WithNames(service, call, RenderOne(request, 201));
  reply.headers.emplace_back("Location", "/v1/requests/" + request.row.id.Text());
  return reply;
}

Result<vault::RequestFilter> FilterOf(Input& input, const Call& call) {
  using Due = vault::RequestFilter::Due;
  vault::RequestFilter filter;
  if (const auto text = call.Query("client"); !text.empty()) {
    const auto id = vault::ClientId::Parse(text);
    if (!id) return input.Refuse(id.error());
    filter.client = *id;
  }
  if (const auto text = call.Query("kind"); !text.empty()) {
    filter.kind = vault::RequestKindFromName(text);
    if (!filter.kind) return input.InvalidParameter("kind", std::string(kNoKind));
  }
  if (const auto text = call.Query("state"); !text.empty()) {
    filter.state = vault::RequestStateFromName(text);
    if (!filter.state) {
      return input.InvalidParameter("state",
                                    "must be one of received, identity_checking, accepted, "
                                    "in_progress, answered, refused, withdrawn, closed");
    }
  }
  const auto due = call.Query("due");
  COFFER_ASSIGN(const auto days, input.QueryNumber("days", kMostDays));
  if (days && due != "soon") return input.InvalidParameter("days", "goes with due=soon only");
  filter.days = days.value_or(filter.days);
  if (due == "open") {
    filter.due = Due::kOpen;
  } else if (due == "soon") {
    filter.due = Due::kSoon;
  } else if (due == "overdue") {
    filter.due = Due::kOverdue;
  } else if (!due.empty()) {
    return input.InvalidParameter("due", "must be one of open, soon, overdue");
  }
  return filter;
}

Result<Reply> ListRequests(const Service& service, const Call& call) {
  Input input(service, call, Action::kRequestRead);
  COFFER_ASSIGN(const auto filter, FilterOf(input, call));
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto requests,
                service.vault.requests().ListRequests(call.caller, filter, page));
  return WithClientNames(service, call, RenderList(requests.items, requests.next_cursor));
}

Result<Reply> GetRequest(const Service& service, const Call& call) {
  Input input(service, call, Action::kRequestRead);
  COFFER_ASSIGN(const auto id, RequestInPath(input, call));
  COFFER_ASSIGN(const auto request, service.vault.requests().GetRequest(call.caller, id));
  return WithClientNames(service, call, RenderOne(request));
}

Result<std::vector<std::uint64_t>> EntriesIn(Input& input, const json& object) {
  std::vector<std::uint64_t> entries;
  const auto found = object.find("entries");
  if (found == object.end()) return entries;
  bool fits = found->is_array() && !found->empty() && found->size() <= vault::kMaxProofs;
  for (std::size_t i = 0; fits && i < found->size(); ++i) {
    fits = (*found)[i].is_number_unsigned() && (*found)[i].get<std::uint64_t>() <= kMostSeq;
    if (fits) entries.push_back((*found)[i].get<std::uint64_t>());
  }
  if (!fits) return input.Invalid("/entries", "must be a list of 1 to 20 numbers of entries");
  return entries;
}

Result<Reply> TakeStep(const Service& service, const Call& call) {
  Input input(service, call, Action::kRequestWrite);
  COFFER_ASSIGN(const auto id, RequestInPath(input, call));
  COFFER_ASSIGN(const json object, input.Object({"step", "client", "words", "letter", "article",
                                                 "entries", "erasure", "together"}));
  vault::StepForm form;
  COFFER_ASSIGN(const std::string name, input.Text(object, "step", true));
  const auto kind = vault::StepKindFromName(name);
  if (!kind) {
    return input.Invalid("/step",
                         "must be one of acknowledge, check_identity, accept, start, extend, "
                         "answer, refuse, withdraw, close, reopen, note");
  }
  form.kind = *kind;
  COFFER_ASSIGN(form.client, input.ClientIn(object, false));
  COFFER_ASSIGN(form.words, input.Text(object, "words", false));
  COFFER_ASSIGN(form.letter, input.Text(object, "letter", false));
  COFFER_ASSIGN(form.article, input.Text(object, "article", false));
  COFFER_ASSIGN(form.entries, EntriesIn(input, object));
  COFFER_ASSIGN(const std::string erasure, input.Text(object, "erasure", false));
  if (!erasure.empty()) {
    const auto erased = vault::ErasureId::Parse(erasure);
    if (!erased) return input.Invalid("/erasure", "must be the id of an erasure");
    form.erasure = *erased;
  }
  COFFER_ASSIGN(form.together, input.Flag(object, "together"));
  COFFER_ASSIGN(const auto request, service.vault.requests().TakeStep(call.caller, id, form));
  return WithNames(service, call, RenderOne(request));
}

Result<Reply> ListRegimes(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto regimes, service.vault.requests().ListRegimes(call.caller));
  return RenderList(regimes);
}

Result<Reply> GetRegime(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto regime,
                service.vault.requests().GetRegime(call.caller, call.segments[0]));
  return RenderOne(*regime);
}

Result<Reply> PutRegime(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto regime,
                service.vault.requests().PutRegime(call.caller, call.segments[0], call.body));
  return RenderOne(*regime);
}

void WriteStep(ObjectWriter& object, const vault::RequestStep& step) {
  object.Text("step", NameOf(step.kind));
  object.Time("at", step.at);
  if (step.by) object.Text("by", step.by->Text());
  object.Number("entry", step.seq);
  if (step.due) object.Time("due", *step.due);
  if (!step.article.empty()) object.Text("article", step.article);
  if (!step.proofs.empty()) {
    object.Objects("shown_by", step.proofs, [](ObjectWriter& proof, const vault::Proof& one) {
      proof.Number("entry", one.seq);
      proof.Text("action", one.action);
    });
  }
  if (!step.authority.empty()) object.Text("authority", step.authority);
  if (!step.letter.empty()) object.Text("letter", step.letter);
  if (!step.words.empty()) object.Text("words", step.words);
  if (!step.attachments.empty()) object.Texts("attachments", step.attachments);
}

template <class IdType>
std::vector<std::string> TextsOf(const std::vector<IdType>& ids) {
  std::vector<std::string> texts;
  for (const IdType& id : ids) texts.push_back(id.Text());
  return texts;
}

std::vector<std::string> NamesOf(const std::vector<vault::StepKind>& kinds) {
  std::vector<std::string> names;
  for (const vault::StepKind kind : kinds) names.emplace_back(NameOf(kind));
  return names;
}

std::string_view NameOf(vault::SaidInWords said) {
  static constexpr std::string_view kNames[] = {"shown", "hidden", "gone", "unreadable"};
  return kNames[static_cast<std::size_t>(said)];
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Request& request) {
  const vault::RequestRow& row = request.row;
  object.Text("id", row.id.Text());
  if (row.client) object.Text("client", row.client->Text());
  object.Text("kind", NameOf(row.kind));
  object.Text("regime", row.regime);
  object.Number("regime_version", row.regime_version);
  object.Text("channel", row.channel);
  object.Text("asked_by", row.by_representative ? "representative" : "client");
  object.Text("state", NameOf(row.state));
  object.Time("received", row.received);
  object.Time("registered", row.registered);
  if (row.due) {
    object.Time("due", *row.due);
    object.Text("last_day", vault::FormatDay(row.last_day));
  }
  if (row.next_due) object.Time("next_due", *row.next_due);
  object.Text("standing", NameOf(request.standing));
  if (row.acknowledged) object.Time("acknowledged", *row.acknowledged);
  if (row.extended) object.Time("extended", *row.extended);
  if (row.decided) object.Time("decided", *row.decided);
  if (row.closed) object.Time("closed", *row.closed);
  if (request.steps.empty()) return;
  object.Text("received_day", vault::FormatDay(request.received_day));
  object.Text("said", NameOf(request.said));
  object.Texts("possible_steps", NamesOf(request.possible));
  if (!request.duplicates.empty()) object.Texts("duplicates", TextsOf(request.duplicates));
  if (!request.holds.empty()) object.Texts("holds", TextsOf(request.holds));
  object.Objects("steps", request.steps, WriteStep);
}

void WriteMembers(ObjectWriter& object, const vault::Regime& regime) {
  object.Text("name", regime.name);
  object.Number("version", regime.version);
  object.Flag("built_in", regime.version == 0);
  object.Flag("calendar", regime.calendar.has_value());
  if (regime.calendar) {
    object.Text("calendar_ends", vault::FormatDay(regime.calendar->last_day()));
  }
  object.Raw("definition", regime.definition);
}

std::span<const Route> RequestRoutes() {
  using enum Method;
  static constexpr std::string_view kRequestQuery[] = {"client", "kind",  "state", "due",
                                                       "days",   "limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/requests", Action::kRequestWrite, "registerRequest", Body::kJson, {}, RegisterRequest},
      {kGet, "/v1/requests", Action::kRequestRead, "listRequests", Body::kNone, kRequestQuery, ListRequests},
      {kGet, "/v1/requests/{request}", Action::kRequestRead, "getRequest", Body::kNone, {}, GetRequest},
      {kPost, "/v1/requests/{request}/steps", Action::kRequestWrite, "takeRequestStep", Body::kJson, {}, TakeStep},
      {kGet, "/v1/regimes", Action::kRequestRead, "listRegimes", Body::kNone, {}, ListRegimes},
      {kGet, "/v1/regimes/{name}", Action::kRequestRead, "getRegime", Body::kNone, {}, GetRegime},
      {kPut, "/v1/regimes/{name}", Action::kRegimeWrite, "putRegime", Body::kJson, {}, PutRegime},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
