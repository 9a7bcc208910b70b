#include "api/routes/notices.h"

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

constexpr std::size_t kMaxNoticeWords = 32 * 1024;

Result<vault::NoticeId> NoticeInPath(Input& input, const Call& call) {
  const auto id = vault::NoticeId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

Result<vault::NoticeSelection> SelectionIn(Input& input, const json& object) {
  const auto found = object.find("selection");
  if (found == object.end()) return input.Invalid("/selection", "is required");
  if (!found->is_object() || found->size() != 1) {
    return input.Invalid("/selection", "must be an object with one member");
  }
  const std::string& name = found->begin().key();
  const json& value = found->begin().value();
  const std::string at = vault::PointerTo("/selection", name);
  const auto kind = vault::SelectionKindFromName(name);
  if (!kind) return input.Invalid(at, "must be one of all, tag, purpose, text");
  if (*kind == vault::NoticeSelection::Kind::kAll) {
    if (value != true) return input.Invalid(at, "must be true");
    return vault::NoticeSelection{*kind, {}};
  }
  if (!value.is_string() || value.get_ref<const std::string&>().size() > kMaxText) {
    return input.Invalid(at, "must be text");
  }
  return vault::NoticeSelection{*kind, value.get<std::string>()};
}

Result<vault::NoticeText> NoticeTextIn(Input& input, const json& object) {
  vault::NoticeText text;
  COFFER_ASSIGN(text.words, input.Text(object, "words", false, kMaxNoticeWords));
  const auto found = object.find("text");
  if (found == object.end()) return text;
  if (!found->is_object()) return input.Invalid("/text", "must be an object");
  for (const auto& [name, value] : found->items()) {
    const std::string at = vault::PointerTo("/text", name);
    if (name == "name") {
      if (!value.is_string() || value.get_ref<const std::string&>().size() > kMaxText) {
        return input.Invalid(at, "must be text");
      }
      text.name = value.get<std::string>();
    } else if (name != "version") {
      return input.Invalid(at, "is not a known member");
    } else if (!value.is_number_unsigned() || value == 0U ||
               value.get<std::uint64_t>() > (std::uint64_t{1} << 53)) {
      return input.Invalid(at, "must be a whole number, from 1");
    } else {
      text.version = value.get<std::uint64_t>();
    }
  }
  if (text.name.empty()) return input.Invalid("/text/name", "is required");
  return text;
}

Result<Reply> CreateNotice(const Service& service, const Call& call) {
  Input input(service, call, Action::kNoticeWrite);
  COFFER_ASSIGN(const json object,
                input.Object({"title", "selection", "text", "words", "effective"}));
  vault::NoticeForm form;
  COFFER_ASSIGN(form.title, input.Text(object, "title", true));
  COFFER_ASSIGN(form.selection, SelectionIn(input, object));
  COFFER_ASSIGN(form.text, NoticeTextIn(input, object));
  COFFER_ASSIGN(const auto effective, input.Time(object, "effective"));
  if (!effective) return input.Invalid("/effective", "is required");
  form.effective = *effective;
  COFFER_ASSIGN(const auto notice, service.vault.notices().CreateNotice(call.caller, form));
  Reply reply = WithNames(service, call, RenderOne(notice, 201));
  reply.headers.emplace_back("Location", "/v1/notices/" + notice.id.Text());
  return reply;
}

Result<Reply> ListNotices(const Service& service, const Call& call) {
  Input input(service, call, Action::kNoticeRead);
  const auto state = call.Query("state");
  if (!state.empty() && state != "open" && state != "closed") {
    return input.InvalidParameter("state", "must be open or closed");
  }
  const auto asked = state.empty()     ? vault::NoticesAsked::kAll
                     : state == "open" ? vault::NoticesAsked::kOpen
                                       : vault::NoticesAsked::kClosed;
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto notices, service.vault.notices().ListNotices(call.caller, asked, page));
  return WithNames(service, call, RenderList(notices.items, notices.next_cursor));
}

Result<Reply> GetNotice(const Service& service, const Call& call) {
  Input input(service, call, Action::kNoticeRead);
  COFFER_ASSIGN(const auto id, NoticeInPath(input, call));
  COFFER_ASSIGN(const auto notice, service.vault.notices().GetNotice(call.caller, id));
  return WithNames(service, call, RenderOne(notice));
}

Result<Reply> TellNotice(const Service& service, const Call& call) {
  Input input(service, call, Action::kNoticeWrite);
  COFFER_ASSIGN(const auto id, NoticeInPath(input, call));
  COFFER_ASSIGN(const json object,
                input.Object({"channel", "evidence", "at", "clients", "all", "cursor"}));
  vault::TellingForm form;
  COFFER_ASSIGN(form.channel, input.Text(object, "channel", true));
  COFFER_ASSIGN(form.evidence, input.Text(object, "evidence", true));
  COFFER_ASSIGN(form.at, input.Time(object, "at"));
  COFFER_ASSIGN(form.all, input.Flag(object, "all"));
  COFFER_ASSIGN(form.cursor, input.Text(object, "cursor", false));
  COFFER_ASSIGN(const auto clients, input.Texts(object, "clients", false));
  for (const std::string& client : clients) {
    const auto parsed = vault::ClientId::Parse(client);
    if (!parsed) {
      return input.Invalid("/clients/" + std::to_string(form.clients.size()), "is no client's id");
    }
    form.clients.push_back(*parsed);
  }
  COFFER_ASSIGN(const auto told, service.vault.notices().Tell(call.caller, id, form));
  return RenderOne(told);
}

Result<Reply> ListPendingOfNotice(const Service& service, const Call& call) {
  Input input(service, call, Action::kNoticeRead);
  COFFER_ASSIGN(const auto id, NoticeInPath(input, call));
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto pending, service.vault.notices().ListPending(call.caller, id, page));
  Reply reply;
  {
    ObjectWriter object(reply.body);
    object.Objects("items", pending.items, [](ObjectWriter& item, const auto& client) {
      item.Text("client", client.Text());
    });
    if (!pending.next_cursor.empty()) object.Text("next_cursor", pending.next_cursor);
  }
  return reply;
}

Result<Reply> ListObjectionsToNotice(const Service& service, const Call& call) {
  Input input(service, call, Action::kNoticeRead);
  COFFER_ASSIGN(const auto id, NoticeInPath(input, call));
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto found, service.vault.notices().ListObjections(call.caller, id, page));
  Reply reply;
  {
    ObjectWriter object(reply.body);
    object.Objects("items", found.items, [](ObjectWriter& item, const auto& one) {
      item.Text("client", one.client.Text());
      item.Text("restriction", one.restriction.Text());
      item.Time("since", one.since);
      item.Flag("all_but", one.all_but);
      item.Texts("purposes", one.purposes);
      if (!one.legal_bases.empty()) item.Texts("legal_bases", one.legal_bases);
    });
    if (!found.next_cursor.empty()) object.Text("next_cursor", found.next_cursor);
  }
  return reply;
}

Result<Reply> CloseNotice(const Service& service, const Call& call) {
  Input input(service, call, Action::kNoticeWrite);
  COFFER_ASSIGN(const auto id, NoticeInPath(input, call));
  COFFER_ASSIGN(const json object, input.Object({"not_told"}));
  COFFER_ASSIGN(const std::string not_told, input.Text(object, "not_told", false));
  COFFER_ASSIGN(const auto notice, service.vault.notices().CloseNotice(call.caller, id, not_told));
  return WithNames(service, call, RenderOne(notice));
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Notice& notice) {
  const vault::NoticeForm& form = notice.form;
  object.Text("id", notice.id.Text());
  object.Text("state", notice.closed ? "closed" : "open");
  object.Text("title", form.title);
  {
    ObjectWriter selection = object.Object("selection");
    if (form.selection.kind == vault::NoticeSelection::Kind::kAll) {
      selection.Flag("all", true);
    } else {
      selection.Text(Name(form.selection.kind), form.selection.of);
    }
  }
  if (form.text.name.empty()) {
    object.Text("words", form.text.words);
    object.Text("sha256", crypto::HexEncode(form.text.sha256));
  } else {
    ObjectWriter text = object.Object("text");
    text.Text("name", form.text.name);
    text.Number("version", form.text.version);
    text.Objects("wordings", form.text.wordings, [](ObjectWriter& item, const auto& wording) {
      item.Text("language", wording.language);
      item.Text("sha256", crypto::HexEncode(wording.sha256));
    });
  }
  object.Time("effective", form.effective);
  object.Time("created", notice.created);
  object.Text("created_by", notice.created_by.Text());
  if (notice.closed) object.Time("closed", *notice.closed);
  object.Number("told", notice.told);
  if (notice.steps.empty()) return;
  object.Objects("history", notice.steps, [](ObjectWriter& item, const auto& step) {
    item.Number("number", step.number);
    item.Text("step", Name(step.kind));
    item.Time("at", step.at);
    item.Text("by", step.by.Text());
    item.Number("entry", step.seq);
    item.Raw("said", step.document);
  });
}

void WriteMembers(ObjectWriter& object, const vault::Told& told) {
  object.Number("told", told.told);
  object.Number("already", told.already);
  if (told.step != 0) object.Number("step", told.step);
  if (!told.next_cursor.empty()) object.Text("next_cursor", told.next_cursor);
}

std::span<const Route> NoticeRoutes() {
  using enum Method;
  static constexpr std::string_view kListQuery[] = {"state", "limit", "cursor"};
  static constexpr std::string_view kPageQuery[] = {"limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/notices", Action::kNoticeWrite, "createNotice", Body::kJson, {}, CreateNotice},
      {kGet, "/v1/notices", Action::kNoticeRead, "listNotices", Body::kNone, kListQuery, ListNotices},
      {kGet, "/v1/notices/{notice}", Action::kNoticeRead, "getNotice", Body::kNone, {}, GetNotice},
      {kPost, "/v1/notices/{notice}/tellings", Action::kNoticeWrite, "tellNotice", Body::kJson, {}, TellNotice},
      {kGet, "/v1/notices/{notice}/pending", Action::kNoticeRead, "listPendingOfNotice", Body::kNone, kPageQuery, ListPendingOfNotice},
      {kGet, "/v1/notices/{notice}/objections", Action::kNoticeRead, "listObjectionsToNotice", Body::kNone, kPageQuery, ListObjectionsToNotice},
      {kPost, "/v1/notices/{notice}/close", Action::kNoticeWrite, "closeNotice", Body::kJson, {}, CloseNotice},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
