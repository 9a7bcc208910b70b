#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/names.h"
#include "api/routes/render.h"
#include "audit/text/clock.h"
#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

using vault::Action;

// Of a page: its other members, and the names of a few dozen ids.
constexpr std::size_t kBesideEntries = 4096;
constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << 53;

Result<vault::LogFilter> FilterOf(Input& input, const Call& call) {
  vault::LogFilter filter;
  filter.client = call.Query("client");
  filter.record = call.Query("record");
  filter.actor = call.Query("actor");
  filter.action = call.Query("action");
  filter.class_name = call.Query("class");
  filter.field = call.Query("field");
  filter.purpose = call.Query("purpose");
  filter.decision = call.Query("decision");
  filter.rule = call.Query("rule");
  filter.outcome = call.Query("outcome");
  filter.address = call.Query("address");
  filter.request = call.Query("request");
  COFFER_ASSIGN(filter.from, input.QueryTime("from"));
  COFFER_ASSIGN(filter.to, input.QueryTime("to"));
  return filter;
}

Reply RenderText(std::string text) {
  return {200, "text/plain; charset=utf-8", std::move(text), {}};
}

Result<Reply> ListEntries(const Service& service, const Call& call, Input& input,
                          const vault::LogFilter& filter) {
  vault::LogPageRequest page;
  COFFER_ASSIGN(const auto limit, input.QueryNumber("limit", 1000));
  COFFER_ASSIGN(page.start, input.QueryNumber("cursor", kMaxSequence));
  const std::string_view order = call.Query("order");
  if (limit == 0U) return input.InvalidParameter("limit", "must be at least 1");
  if (!order.empty() && order != "asc" && order != "desc") {
    return input.InvalidParameter("order", "must be asc or desc");
  }
  if (limit) page.limit = *limit;
  page.oldest_first = order == "asc";

  COFFER_ASSIGN(const auto log,
                AtQuery(service.vault.access_log().ReadLog(call.caller, filter, page)));
  const std::string next = log.next ? std::to_string(*log.next) : std::string();
  Reply reply;
  std::size_t bytes = kBesideEntries;
  for (const auto& entry : log.entries) bytes += entry.size() + 1;
  reply.body.reserve(bytes);
  if (call.accept == "application/x-ndjson") {
    reply.content_type = call.accept;
    for (const auto& entry : log.entries) (reply.body += entry) += '\n';
    if (log.next) reply.headers.emplace_back("Coffer-Next-Cursor", next);
    reply.headers.emplace_back("Coffer-Log-Size", std::to_string(log.size));
    return reply;
  }
  reply.body = "{\"items\":[";
  for (std::size_t i = 0; i < log.entries.size(); ++i) {
    if (i > 0) reply.body += ',';
    reply.body += log.entries[i];
  }
  reply.body += ']';
  AppendNextCursor(reply.body, next);
  reply.body += ",\"size\":" + std::to_string(log.size) + "}";
  return WithClientNames(service, call, std::move(reply), *log.principals);
}

}  // namespace

Result<Reply> ListLogEntries(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  COFFER_ASSIGN(const auto filter, FilterOf(input, call));
  return ListEntries(service, call, input, filter);
}

// Also of a client that was erased: the history is what is left of it.
Result<Reply> ListClientLog(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(auto filter, FilterOf(input, call));
  filter.client = client.Text();
  return ListEntries(service, call, input, filter);
}

Result<Reply> ListPrincipalLog(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  const auto principal = vault::PrincipalId::Parse(call.segments[0]);
  if (!principal) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_ASSIGN(auto filter, FilterOf(input, call));
  filter.actor = principal->Text();
  auto reply = ListEntries(service, call, input, filter);
  // The principal is what the path names: one that nobody knows is no list of nothing.
  const auto is_actor = [](const Issue& issue) { return issue.pointer == "query:actor"; };
  if (!reply && std::ranges::any_of(reply.error().issues, is_actor)) {
    return Fail(Code::kNotFound, "not_found");
  }
  return reply;
}

Result<Reply> GetLogEntry(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  const auto seq = ParseDecimal(call.segments[0], kMaxSequence);
  if (!seq) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_ASSIGN(const auto view, service.vault.access_log().ReadLogEntry(call.caller, *seq));
  Reply reply;
  reply.body = "{\"entry\":" + view.entry;
  if (view.note_text) {
    reply.body += ",\"note\":{\"text\":";
    vault::AppendJsonString(reply.body, *view.note_text);
    reply.body += ",\"salt\":\"" + *view.note_salt + "\"}";
  }
  reply.body += '}';
  return WithClientNames(service, call, std::move(reply));
}

Result<Reply> GetLogEntryProof(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  const auto seq = ParseDecimal(call.segments[0], kMaxSequence);
  if (!seq) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_ASSIGN(auto proof, service.vault.access_log().ProveLogEntry(call.caller, *seq));
  return RenderText(std::move(proof));
}

Result<Reply> GetLogCheckpoint(const Service& service, const Call& call) {
  COFFER_ASSIGN(auto checkpoint, service.vault.access_log().ReadCheckpoint(call.caller));
  return RenderText(std::move(checkpoint));
}

Result<Reply> GetLogConsistency(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  COFFER_ASSIGN(const auto from, input.QueryNumber("from", kMaxSequence));
  COFFER_ASSIGN(const auto to, input.QueryNumber("to", kMaxSequence));
  if (!from || !to) return input.InvalidParameter(from ? "to" : "from", "is required");
  COFFER_ASSIGN(const auto proof,
                service.vault.access_log().ProveConsistency(call.caller, *from, *to));
  return RenderOne(proof);
}

Result<Reply> GetLogTile(const Service& service, const Call& call) {
  const auto path = audit::ParseTilePath(call.segments[0]);
  if (!path) {
    return Input(service, call, Action::kLogRead).Refuse({Code::kNotFound, "not_found", {}, {}});
  }
  COFFER_ASSIGN(auto tile, service.vault.access_log().ReadLogTile(call.caller, *path));
  Reply reply{200, "application/octet-stream", std::move(tile), {}};
  // What a path of the tree names never changes; only who has looked at it may keep it.
  reply.headers.emplace_back("Cache-Control", "private, max-age=31536000, immutable");
  return reply;
}

Result<Reply> MakeEvidence(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  COFFER_ASSIGN(const nlohmann::json object, input.Object({"client", "principal", "from", "to"}));
  vault::EvidenceRequest request;
  COFFER_ASSIGN(request.client, input.Text(object, "client", false));
  COFFER_ASSIGN(request.principal, input.Text(object, "principal", false));
  COFFER_ASSIGN(request.from, input.Time(object, "from"));
  COFFER_ASSIGN(request.to, input.Time(object, "to"));
  COFFER_ASSIGN(auto bundle, service.vault.evidence().MakeEvidence(call.caller, request));
  Reply reply{200, "application/zip", std::move(bundle), {}};
  reply.headers.emplace_back("Content-Disposition", "attachment; filename=\"evidence.zip\"");
  return reply;
}

Result<Reply> SummariseLog(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  vault::LogSummaryRequest request;
  COFFER_ASSIGN(request.filter, FilterOf(input, call));
  const std::string_view per = call.Query("per");
  if (!per.empty() && per != "hour" && per != "day") {
    return input.InvalidParameter("per", "must be hour or day");
  }
  request.daily = per != "hour";
  if (!call.Query("by").empty()) request.by = call.Query("by");
  COFFER_ASSIGN(const auto summary,
                AtQuery(service.vault.access_log().SummariseLog(call.caller, request)));
  return WithNames(service, call, RenderOne(summary));
}

Result<Reply> VerifyLog(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogVerify);
  bool deep = false;
  if (!call.body.empty()) {
    COFFER_ASSIGN(const nlohmann::json object, input.Object({"deep"}));
    if (const auto found = object.find("deep"); found != object.end()) {
      if (!found->is_boolean()) {
        return input.Refuse(
            {Code::kUnprocessable, "request_invalid", {}, {{"/deep", "must be true or false"}}});
      }
      deep = found->get<bool>();
    }
  }
  COFFER_ASSIGN(const auto report, service.vault.verification().VerifyLog(call.caller, deep));
  return RenderOne(report);
}

}  // namespace coffer::api
