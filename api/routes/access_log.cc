#include "api/routes/access_log.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"
#include "audit/text/clock.h"
#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

using nlohmann::json;
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

  COFFER_ASSIGN(const auto log, AtQuery(service.vault.ReadLog(call.caller, filter, page)));
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
  COFFER_ASSIGN(const auto view, service.vault.ReadLogEntry(call.caller, *seq));
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

Result<Reply> CountReaders(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  COFFER_ASSIGN(const auto from, input.QueryTime("from"));
  COFFER_ASSIGN(const auto to, input.QueryTime("to"));
  if (from && to && *to <= *from) return input.InvalidParameter("to", "must be after from");
  COFFER_ASSIGN(const auto report, service.vault.CountReaders(call.caller, from, to));
  return RenderOne(report);
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
  COFFER_ASSIGN(const auto summary, AtQuery(service.vault.SummariseLog(call.caller, request)));
  return WithNames(service, call, RenderOne(summary));
}

Result<Reply> MakeEvidence(const Service& service, const Call& call) {
  Input input(service, call, Action::kLogRead);
  COFFER_ASSIGN(const json object, input.Object({"client", "principal", "from", "to"}));
  vault::EvidenceRequest request;
  COFFER_ASSIGN(request.client, input.Text(object, "client", false));
  COFFER_ASSIGN(request.principal, input.Text(object, "principal", false));
  COFFER_ASSIGN(request.from, input.Time(object, "from"));
  COFFER_ASSIGN(request.to, input.Time(object, "to"));
  COFFER_ASSIGN(auto bundle, service.vault.MakeEvidence(call.caller, request));
  Reply reply{200, "application/zip", std::move(bundle), {}};
  reply.headers.emplace_back("Content-Disposition", "attachment; filename=\"evidence.zip\"");
  return reply;
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::LogSummary& summary) {
  object.Number("size", summary.size);
  object.Objects("items", summary.counts, [](ObjectWriter& item, const auto& count) {
    item.Time("from", count.from);
    if (!count.value.empty()) item.Text("value", count.value);
    item.Number("count", count.count);
    item.Number("requests", count.requests);
    item.Number("records", count.records);
    item.Number("clients", count.clients);
  });
}

void WriteMembers(ObjectWriter& object, const vault::ReaderReport& report) {
  json answer = {{"from", audit::FormatTimestamp(report.from)},
                 {"to", audit::FormatTimestamp(report.to)},
                 {"size", report.size},
                 {"more", report.more},
                 {"items", json::array()}};
  for (const auto& reader : report.readers) {
    json item = {{"principal", reader.principal.Text()},
                 {"name", reader.name},
                 {"role", reader.role},
                 {"reads", reader.reads},
                 {"clients", reader.clients}};
    PutText(item, "login", reader.login);
    if (!reader.group.empty()) {
      item["group"] = reader.group;
      item["colleagues"] = reader.colleagues;
      item["median"] = reader.median;
      // To two places; without colleagues who read any there is nothing to divide by.
      if (reader.median > 0) {
        item["ratio"] = std::round(static_cast<double>(reader.clients) / reader.median * 100) / 100;
      }
    }
    answer["items"].push_back(std::move(item));
  }
  object.Members(answer);
}

std::span<const Route> AccessLogRoutes() {
  using enum Method;
  static constexpr std::string_view kLogQuery[] = {
      "client",  "record",  "actor",   "action", "class", "field", "purpose", "decision", "rule",
      "outcome", "address", "request", "from",   "to",    "order", "limit",   "cursor"};
  static constexpr std::string_view kClientLogQuery[] = {
      "record",  "actor",   "action",  "class", "field", "purpose", "decision", "rule",
      "outcome", "address", "request", "from",  "to",    "order",   "limit",    "cursor"};
  static constexpr std::string_view kPrincipalLogQuery[] = {
      "client",  "record",  "action",  "class", "field", "purpose", "decision", "rule",
      "outcome", "address", "request", "from",  "to",    "order",   "limit",    "cursor"};
  static constexpr std::string_view kReadersQuery[] = {"from", "to"};
  static constexpr std::string_view kLogSummaryQuery[] = {
      "client",  "record",  "actor",   "action", "class", "purpose", "decision", "rule",
      "outcome", "address", "request", "from",   "to",    "by",      "per"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/log/entries", Action::kLogRead, "listLogEntries", Body::kNone, kLogQuery, ListLogEntries},
      {kGet, "/v1/clients/{client}/access-log", Action::kLogRead, "listClientLog", Body::kNone, kClientLogQuery, ListClientLog},
      {kGet, "/v1/principals/{principal}/access-log", Action::kLogRead, "listPrincipalLog", Body::kNone, kPrincipalLogQuery, ListPrincipalLog},
      {kGet, "/v1/log/entries/{seq}", Action::kLogRead, "getLogEntry", Body::kNone, {}, GetLogEntry},
      {kGet, "/v1/log/readers", Action::kLogRead, "countReaders", Body::kNone, kReadersQuery, CountReaders},
      {kGet, "/v1/log/summary", Action::kLogRead, "summariseLog", Body::kNone, kLogSummaryQuery, SummariseLog},
      {kPost, "/v1/log/evidence", Action::kLogRead, "makeEvidence", Body::kJson, {}, MakeEvidence},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
