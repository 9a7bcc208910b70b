#include "api/routes/processing.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"
#include "crypto/encoding.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::uint64_t kLastVersion = std::uint64_t{1} << 53;
constexpr std::string_view kOrderRule = "must be one of gdpr, ru-152fz, pipl";

Reply WithVersion(Reply reply, std::uint64_t version) {
  reply.headers.emplace_back("ETag", EntityTag(version));
  return reply;
}

Result<Reply> GetProcessing(const Service& service, const Call& call) {
  Input input(service, call, Action::kProcessingRead);
  const auto named = call.Query("order");
  const auto order = vault::ProcessingOrderFromName(named.empty() ? "gdpr" : named);
  if (!order) return input.InvalidParameter("order", std::string(kOrderRule));
  COFFER_ASSIGN(const auto now, service.vault.processing().Read(call.caller, *order));
  return RenderOne(now);
}

Result<Reply> GetProcessingDocument(const Service& service, const Call& call) {
  Input input(service, call, Action::kProcessingRead);
  COFFER_ASSIGN(const auto version, input.QueryNumber("version", kLastVersion));
  COFFER_ASSIGN(const auto document, service.vault.processing().GetDocument(call.caller, version));
  return WithVersion(WithNames(service, call, RenderOne(document)), document.version);
}

Result<Reply> PutProcessingDocument(const Service& service, const Call& call) {
  Input input(service, call, Action::kProcessingWrite);
  COFFER_ASSIGN(const auto version, input.IfMatch(false));
  COFFER_ASSIGN(const auto document,
                service.vault.processing().PutDocument(call.caller, call.body, version));
  return WithVersion(WithNames(service, call, RenderOne(document)), document.version);
}

Result<Reply> PublishProcessing(const Service& service, const Call& call) {
  Input input(service, call, Action::kProcessingWrite);
  COFFER_ASSIGN(const json object, input.Object({"order", "incomplete", "reason"}));
  COFFER_ASSIGN(const std::string named, input.Text(object, "order", true));
  const auto order = vault::ProcessingOrderFromName(named);
  if (!order) return input.Invalid("/order", std::string(kOrderRule));
  vault::ProcessingPublishing publishing;
  publishing.order = *order;
  COFFER_ASSIGN(publishing.incomplete, input.Flag(object, "incomplete"));
  COFFER_ASSIGN(publishing.reason, input.Text(object, "reason", false));
  COFFER_ASSIGN(const auto published, service.vault.processing().Publish(call.caller, publishing));
  Reply reply = WithNames(service, call, RenderOne(published, 201));
  reply.headers.emplace_back("Location",
                             "/v1/processing/versions/" + std::to_string(published.version));
  return reply;
}

Result<Reply> ListProcessingVersions(const Service& service, const Call& call) {
  Input input(service, call, Action::kProcessingRead);
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto versions, service.vault.processing().List(call.caller, page));
  return WithNames(service, call, RenderList(versions.items, versions.next_cursor));
}

Result<Reply> GetProcessingVersion(const Service& service, const Call& call) {
  Input input(service, call, Action::kProcessingRead);
  const auto version = ParseDecimal(call.segments[0], kLastVersion);
  if (!version) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_ASSIGN(const auto published, service.vault.processing().Get(call.caller, *version));
  return WithNames(service, call, RenderOne(published));
}

Result<Reply> CompareProcessing(const Service& service, const Call& call) {
  Input input(service, call, Action::kProcessingRead);
  COFFER_ASSIGN(const auto from, input.QueryNumber("from", kLastVersion));
  COFFER_ASSIGN(const auto compared, service.vault.processing().Compare(call.caller, from));
  return RenderOne(compared);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::ProcessingDocument& document) {
  object.Number("version", document.version);
  object.Time("created", document.created);
  object.Text("put_by", document.put_by.Text());
  object.Number("entry", document.seq);
  object.Text("sha256", crypto::HexEncode(document.sha256));
  object.Raw("definition", document.definition);
}

void WriteMembers(ObjectWriter& object, const vault::ProcessingNow& now) {
  object.Time("at", now.at);
  object.Text("order", Name(now.order));
  object.Flag("complete", now.missing.empty());
  object.Objects("missing", now.missing, [](ObjectWriter& item, const auto& one) {
    item.Text("fact", one.fact);
    if (!one.subject.empty()) item.Text("subject", one.subject);
    item.Text("article", one.article);
    item.Text("route", one.route);
    if (!one.pointer.empty()) item.Text("pointer", one.pointer);
  });
  object.Number("document", now.document);
  object.Number("published", now.published);
  object.Raw("register", now.register_json);
}

void WriteMembers(ObjectWriter& object, const vault::PublishedProcessing& published) {
  object.Number("version", published.version);
  object.Text("order", Name(published.order));
  object.Number("missing", published.missing);
  object.Time("published", published.published);
  object.Text("published_by", published.published_by.Text());
  object.Number("entry", published.seq);
  object.Text("sha256", crypto::HexEncode(published.sha256));
  // To the byte, as it was hashed.
  if (!published.register_json.empty()) object.Raw("publication", published.register_json);
}

void WriteMembers(ObjectWriter& object, const vault::ProcessingDifference& compared) {
  object.Number("from", compared.from);
  object.Time("at", compared.at);
  object.Objects("changes", compared.difference.changes, [](ObjectWriter& item, const auto& one) {
    item.Text("change", Name(one.kind));
    item.Text("words", one.words);
    if (!one.before.empty()) item.Raw("before", one.before);
    if (!one.after.empty()) item.Raw("after", one.after);
  });
  object.Flag("more", compared.difference.more);
}

std::span<const Route> ProcessingRoutes() {
  using enum Method;
  static constexpr std::string_view kOrderQuery[] = {"order"};
  static constexpr std::string_view kVersionQuery[] = {"version"};
  static constexpr std::string_view kPageQuery[] = {"limit", "cursor"};
  static constexpr std::string_view kFromQuery[] = {"from"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/processing", Action::kProcessingRead, "getProcessing", Body::kNone, kOrderQuery, GetProcessing},
      {kGet, "/v1/processing/document", Action::kProcessingRead, "getProcessingDocument", Body::kNone, kVersionQuery, GetProcessingDocument},
      {kPut, "/v1/processing/document", Action::kProcessingWrite, "putProcessingDocument", Body::kJson, {}, PutProcessingDocument},
      {kPost, "/v1/processing/versions", Action::kProcessingWrite, "publishProcessing", Body::kJson, {}, PublishProcessing},
      {kGet, "/v1/processing/versions", Action::kProcessingRead, "listProcessingVersions", Body::kNone, kPageQuery, ListProcessingVersions},
      {kGet, "/v1/processing/versions/{version}", Action::kProcessingRead, "getProcessingVersion", Body::kNone, {}, GetProcessingVersion},
      {kGet, "/v1/processing/difference", Action::kProcessingRead, "compareProcessing", Body::kNone, kFromQuery, CompareProcessing},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
